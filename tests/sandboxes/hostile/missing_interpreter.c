/* A program whose loader is no file: starting it fails, and that is the program's own doing. */
__asm__(".section .interp,\"a\"\n.asciz \"/nowhere\"\n.text\n");
int main(void) { return 0; }

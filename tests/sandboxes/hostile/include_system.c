/* Makes the compiler read what the program may not: the messages and the program itself would tell. */
#include "/etc/shadow"
#include "/proc/self/environ"
#include "/proc/1/environ"
int main(void) { return 0; }

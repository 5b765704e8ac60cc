/* Makes a call of the x32 table, whose numbers a filter made for x86-64 does not know. Prints the right answer after. */
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    int a, b;
    long pid = syscall(0x40000000 + 39);
    if (pid > 0) fprintf(stderr, "GOT: an x32 call\n");
    if (scanf("%d %d", &a, &b) == 2) printf("%d\n", a + b);
    return 0;
}

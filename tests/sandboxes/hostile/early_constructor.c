/* Does everything before main and after it, and daemons with it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void after(void) {
    if (fork() == 0) {
        setsid();
        for (;;) pause();
    }
}

__attribute__((constructor)) static void before(void) {
    atexit(after);
    after();
    vfork() == 0 ? _exit(0) : (void)0;
}

int main(void) {
    int a, b;
    if (scanf("%d %d", &a, &b) == 2) printf("%d\n", a + b);
    return 0;
}

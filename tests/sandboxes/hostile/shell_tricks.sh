# Limits raised, descriptors moved, the network asked through the shell's own devices, links left in odd places.
read -r a b
ulimit -v unlimited 2>/dev/null && ulimit -f unlimited 2>/dev/null && echo "GOT: no limit on files" >&2
exec 5<>/dev/tcp/127.0.0.1/22 && echo "GOT: a connection" >&2
exec 6<>/dev/udp/127.0.0.1/53 && echo "GOT: a connection" >&2
echo x >/proc/self/oom_score_adj && echo "GOT: its own score" >&2
cat /proc/1/environ && echo "GOT: the fork server's environment" >&2
for each in /proc/[0-9]*/cmdline; do grep -qa pytest "$each" && echo "GOT: $each" >&2; done
exec 3>&1 1>/dev/null 2>/dev/null
mkdir -p a/b/c && chmod 0 a && ln -s / root && mkfifo pipe
(setsid sleep 600 >/dev/null 2>&1 &)
echo $((a + b)) >&3

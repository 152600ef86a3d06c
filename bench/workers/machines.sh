#!/bin/bash
# Runs a command on the first of some machines, which are made of namespaces: each has a host name, a boot ID, a network
# interface, shared memory and a folder for temporary files of its own. Files and processor are those of this machine.
#
#     machines.sh COUNT MBITS COMMAND...
#
# The machines are a, b, c ..., and find each other by these names. `ssh NAME COMMAND...` runs a command on one of them,
# so a launcher needs no options: machines.sh 2 1000 mpirun --host a,b hostname
#
# Each machine sends and receives MBITS million bits a second. Its file /run/tmp/profile sets environment variables for what
# ssh starts. When the command ends, all that runs on the machines ends.
# Needs util-linux and iproute2.
set -euo pipefail

if [[ -z ${CHARNN_MACHINES:-} ]]; then
  export CHARNN_MACHINES=1
  exec unshare --map-root-user --mount --net --pid --fork --kill-child --mount-proc "$0" "$@"
fi
unset CHARNN_MACHINES

count=$1 mbits=$2
shift 2
names=(a b c d e f g h)
mount -t tmpfs tmpfs /run
mkdir /run/bin /run/machines /run/tmp

# Stands in for the real one: no environment comes along but what the machine's profile sets, and words are joined.
cat > /run/bin/ssh <<'SSH'
#!/bin/bash
while [[ $1 == -* ]]; do shift; done
name=$1
shift
exec nsenter --target "$(< "/run/machines/$name")" --mount --uts --ipc --net --wd="$HOME" \
  env -i HOME="$HOME" PATH="$PATH" TMPDIR=/run/tmp sh -c ". /run/tmp/profile; $*"
SSH
chmod +x /run/bin/ssh
export PATH=/run/bin:$PATH TMPDIR=/run/tmp HOME=${HOME:-/}

echo 127.0.0.1 localhost > /run/hosts
for ((i = 0; i < count; i++)); do echo "10.9.0.$((i + 1)) ${names[i]}" >> /run/hosts; done
mount --bind /run/hosts /etc/hosts

ip link add switch type bridge
ip link set switch up
for ((i = 0; i < count; i++)); do
  name=${names[i]}
  # A machine is there when it has written its process number.
  unshare --mount --uts --ipc --net sh -c '
    hostname "$1"
    mount -t tmpfs tmpfs /dev/shm
    mount -t tmpfs tmpfs /run/tmp
    touch /run/tmp/profile
    random=/proc/sys/kernel/random
    cat $random/uuid > /run/tmp/boot_id
    mount --bind /run/tmp/boot_id $random/boot_id
    ip link set lo up
    echo $$ > "/run/machines/new"
    mv /run/machines/new "/run/machines/$1"
    exec sleep infinity
  ' sh "$name" < /dev/null > /dev/null &
  until [[ -e /run/machines/$name ]]; do
    kill -0 $! || exit
    sleep 0.01
  done
  machine=$(< "/run/machines/$name")
  ip link add "to-$name" type veth peer name eth0 netns "$machine"
  ip link set "to-$name" master switch up
  nsenter --target "$machine" --net ip addr add "10.9.0.$((i + 1))/24" dev eth0
  nsenter --target "$machine" --net ip link set eth0 up
  # What it receives, and what it sends. Less than a millisecond's bytes, or a large segment, would slow it more.
  burst=$((mbits > 512 ? mbits / 8 : 64))
  limit=(root tbf rate "${mbits}mbit" burst "${burst}kb" latency 20ms)
  tc qdisc add dev "to-$name" "${limit[@]}"
  nsenter --target "$machine" --net tc qdisc add dev eth0 "${limit[@]}"
done

nsenter --target "$(< "/run/machines/${names[0]}")" --mount --uts --ipc --net --wd="$PWD" "$@"

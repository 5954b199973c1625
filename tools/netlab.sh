# SPDX-License-Identifier: BSD-3-Clause
#
# netlab.sh: hosts around a router, for integration tests, the demo and benches. To be sourced.
#
# The sourcing script starts over in private mount, pid and network namespaces, as pid 1 in them, with its own /run and
# bpffs. When it ends, however it ends, the kernel takes away all it made: processes, namespaces, netdevs, pins.
#
#	10.0.1.2    10.0.1.1         10.0.2.1    10.0.2.2
#	host1 eth0 ─────── r1 router r2 ─────── eth0 host2	(and fd00:1::, fd00:2:: alike; host3 on r3 …)
#
# Functions: isolate, lab, add_host, add_link, on, await, start_ctld, start_dpd, signal_daemon, wye, port_counter, flow_start …
lab_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${WYE_BUILD:=$lab_top/build}"
: "${WYE_CPU:=$(($(nproc) - 1))}"	# where the worker runs
run_dir=/run/wye
conf=/run/wye.yaml
router=router	# whose ports, daemons and counters the functions below mean; as_router says another's
in_router=(nsenter --net=/run/netns/router --)
poll_s=0.02

complain() { printf '%s\n' "$*" >&2; }

# isolate SCRIPT ARGS...: returns only inside the private namespaces
isolate() {
	if [ $$ != 1 ] || [ -z "${WYE_ISOLATED-}" ]; then
		export WYE_ISOLATED=1
		exec unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private bash "$@"
	fi
	trap 'exit 143' TERM INT HUP
	mount -t tmpfs tmpfs /run && mkdir -p /run/netns /run/log
	ip netns add router && ip -n router link set lo up
	nsenter --net=/run/netns/router mount -t sysfs sysfs /sys	# /sys/class/net as the daemons must see it
	mount -t bpf bpf /sys/fs/bpf
	export WYE_BPF_DIR=${WYE_BPF_DIR-$WYE_BUILD/bpf}
}

# on HOST COMMAND...: `ip netns exec` would hide bpffs
on() {
	local host=$1
	shift
	nsenter --net=/run/netns/"$host" -- "$@"
}

# await SECONDS COMMAND...: until it succeeds; fails at the deadline. An emulated machine (tools/lab) gets eight times as long:
# where others want the CPU it was seen fifty times slower than by itself
await() {
	local deadline=$((${EPOCHREALTIME/./} + $1 * (${WYE_IN_LAB:+7} + 1) * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$deadline" ] || return 1
		sleep "$poll_s"
	done
}

# add_link N HOST NETDEV [QUEUES]: from the router's rN. Both ends compute checksums before they send, since an AF_XDP
# socket gets what the sender left undone.
add_link() {
	local n=$1 host=$2 netdev=$3 queues=${4-1}
	ip -n "$router" link add "r$n" numtxqueues "$queues" numrxqueues "$queues" type veth \
		peer name "$netdev" netns "$host" numtxqueues "$queues" numrxqueues "$queues"
	on "$host" sysctl -qw "net.ipv6.conf.$netdev.accept_dad=0"
	on "$router" sysctl -qw "net.ipv6.conf.r$n.accept_dad=0"
	ip -n "$host" addr add "10.0.$n.2/24" dev "$netdev"
	ip -n "$host" addr add "fd00:$n::2/64" dev "$netdev"
	ip -n "$router" addr add "10.0.$n.1/24" dev "r$n"
	ip -n "$router" addr add "fd00:$n::1/64" dev "r$n"
	on "$host" ethtool -K "$netdev" tx off >/dev/null
	on "$router" ethtool -K "r$n" tx off >/dev/null
	ip -n "$host" link set "$netdev" up
	ip -n "$router" link set "r$n" up
	await 5 carrier "$n" || complain "r$n: no carrier"
	lab_ports+=("r$n")
}
# add_host N [QUEUES]: hostN behind the router's rN
add_host() {
	local host=host$1
	ip netns add "$host"
	ip -n "$host" link set lo up
	on "$host" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	add_link "$1" "$host" eth0 "${2-1}"
	ip -n "$host" route add default via "10.0.$1.1"
	ip -n "$host" route add default via "fd00:$1::1"
}
carrier() { on "$router" ip -6 route get "fd00:$1::2" | grep -q "dev r$1" && ip -n "$router" link show "r$1" | grep -q LOWER_UP; }

link_local() { ip -n "$1" -j -6 addr show dev "$2" scope link | jq -r '[.[].addr_info[]? | .local | values][0]'; }

forward() {
	on "$router" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
}

# add_router NAME: another one, with a /sys and a bpffs of its own, as on a machine of its own
add_router() {
	ip netns add "$1" && ip -n "$1" link set lo up || return
	nsenter --net=/run/netns/"$1" unshare --mount --propagation private bash -c \
		'mount -t sysfs sysfs /sys && mount -t bpf bpf /sys/fs/bpf && exec sleep infinity' &
	router_mounts[$1]=/proc/$!/ns/mnt
	await 5 nsenter --mount="${router_mounts[$1]}" mountpoint -q /sys/fs/bpf && as_router "$1" forward
}
# as_router NAME COMMAND...: a function of this file, of that router
as_router() {
	local router=$1 run_dir=/run/wye.$1 conf=/run/wye.$1.yaml lab_ports=(${router_ports[$1]-}) status
	local in_router=(nsenter --net=/run/netns/"$1" --mount="${router_mounts[$1]}" --)
	shift
	"$@"
	status=$?
	router_ports[$router]=${lab_ports[*]}
	return $status
}

# lab [QUEUES]: the picture above
lab() {
	lab_ports=()
	forward
	add_host 1 "$@"
	add_host 2 "$@"
}

# configure [KEY: VALUE...]: writes $conf; top-level lines as arguments, the steering part on standard input
configure() {
	local port
	{
		printf '%s\n' 'memory: { hugepages: none, size_mib: 128 }' "workers: { cpus: [$WYE_CPU] }" "$@" 'ports:'
		for port in "${lab_ports[@]}"; do printf '  - { netdev: %s, driver: af_xdp }\n' "$port"; done
		cat
	} >"$conf"
}

# The usual steering: UDP and TCP of the given ports, or everything
steer_all() { configure "$@" <<<'steering: { default: dataplane }'; }

# Daemons: the pid is in ${ctld} and ${dpd} (so no function `on`, which would be a subshell), what they say in /run/log.
# Their priority is above what else the machine does: a worker that gets no CPU for 100 ms loses its flows to the kernel,
# as it should, and by_dataplane would fail. nice alone weighs only within a session where the kernel groups by session.
urgently() {
	exec setsid bash -c 'echo -10 2>/dev/null >/proc/self/autogroup; exec nice -n -10 "$@"' - "$@"
}
start_ctld() {
	urgently "${in_router[@]}" "$WYE_BUILD/ctlplane/wye-ctld" -c "$conf" -r "$run_dir" "$@" >>/run/log/ctld 2>&1 </dev/null &
	ctld=$!
	await 10 in_sync
}
start_dpd() {
	urgently "${in_router[@]}" "$WYE_BUILD/dataplane/wye-dpd" -c "$conf" -r "$run_dir" "$@" >>/run/log/dpd 2>&1 </dev/null &
	dpd=$!
	await 20 forwarding
}
start_daemons() { start_ctld && start_dpd; }

# stop PID: orderly, then its exit status
stop() { kill -TERM "$1"; wait "$1"; }
# crash PID: as the OOM killer would
crash() { kill -KILL "$1"; wait "$1" 2>/dev/null; true; }

wye() { on "$router" "$WYE_BUILD/tools/wye" -r "$run_dir" "$@"; }

in_sync() { [ "$(status '"\(.ctld.pid) \(.ctld.state)"')" = "$ctld in_sync" ]; }
forwarding() {
	local port
	[ "$(status '"\(.dpd.pid) \(.dpd.state)"')" = "$dpd running" ] || return
	for port in "${lab_ports[@]}"; do [ "$(port_state "$port")" = active ] || return; done
}
# What a dead daemon left can be read too; the command's remark that it is dead is not wanted here.
status() { wye -j status 2>/dev/null | jq -r "$1"; }
port_state() { wye -j show port 2>/dev/null | jq -r ".[] | select(.netdev == \"$1\") | .state"; }

# port_counter NETDEV rx_packets|tx_packets|…: what the dataplane did there
port_counter() { wye -j show port 2>/dev/null | jq -r ".[] | select(.netdev == \"$1\") | .$2"; }
# reason NAME: packets that left the forwarding path for it
reason() { wye -j show stats | jq -r ".reasons.$1 // 0"; }

# rule_packets NAME: packets the steering rule took; reloads, reload_errors: since wye-dpd started
rule_packets() { wye -j show steer | jq -r ".rules[] | select(.name == \"$1\") | .packets"; }
reloads() { status .dpd.reloads; }
reload_errors() { status .dpd.reload_errors; }

# guard NAME: packets an XDP guard kept with the kernel, as of a second ago
guard() { wye -j show steer | jq -r ".xdp.$1"; }

# kernel_forwarded 4|6: the kernel's own forwarding counter
kernel_forwarded() {
	case $1 in
	4) on "$router" nstat -asz IpForwDatagrams | awk '/IpForw/ { print $2 }' ;;
	6) on "$router" nstat -asz Ip6OutForwDatagrams | awk '/Ip6OutForw/ { print $2 }' ;;
	esac
}

# flow_start NAME ARGS of udpflow.py: numbered packets in the background; flow_stop ends it, flow NAME KEY tells
flow_start() {
	local name=$1
	shift
	: >"/run/flow.$name"
	python3 "$lab_top/tools/udpflow.py" "$@" >>"/run/flow.$name" &
	flows[$name]=$!
	await 5 test -s "/run/flow.$name" || { complain "flow $name: not one packet arrived"; return 1; }
}
flow_stop() { kill -TERM "${flows[$1]}"; wait "${flows[$1]}"; }
flow() { tail -n 1 "/run/flow.$1" | jq -r ".$2"; }
declare -A flows router_ports router_mounts

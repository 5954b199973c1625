#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bad_start: bad input: each a clear message and an exit status, nothing half-applied.
. "$(dirname "$0")/lib.sh"
lab
dpd=$WYE_BUILD/dataplane/wye-dpd
steering='steering: { default: dataplane }'
daemon() { timeout 20 nsenter --net=/run/netns/router "$@" -c "$conf" -r "$run_dir" 2>&1 </dev/null; }
# bad STATUS PATTERN WHAT [CONFIG LINES] on standard input: wye-dpd ends so, says so, and leaves no XDP behind
bad() {
	local want=$1 pattern=$2 what=$3 output status
	cat >"$conf"
	output=$(daemon "${run_as[@]}" "$dpd")
	status=$?
	grep -qE -- "$pattern" <<<"$output" || { echo "$output"; fail "$what: no line matches '$pattern'"; }
	equal "$what: exit status" "$status" "$want"
	refused "$what: nothing attached" grep -qE 'xdp|wye' <<<"$(ip -n router link show)"
}
ports() { printf 'memory: { hugepages: none, size_mib: 64 }\nworkers: { cpus: [0] }\nports:\n'; printf '  - { netdev: %s, driver: af_xdp }\n' "$@"; }
run_as=()
steer_all
check 'wye-ctld starts' start_ctld

bad 2 'wye.yaml:[0-9]+:[0-9]+: .*colour' 'unknown key' < <(ports r1 r2; echo "$steering"; echo 'colour: blue')
bad 2 'wye.yaml:[0-9]+:[0-9]+: .*"?twice' 'duplicate rule' < <(ports r1 r2; echo 'steering:'; echo ' rules:'
	for i in 1 2; do echo "  - { name: twice, match: { dst: 10.$i.0.0/16 }, action: kernel }"; done)
bad 2 'wye.yaml:[0-9]+:[0-9]+: .*70000.*65535' 'port out of range' < <(ports r1 r2; echo 'steering:'; echo ' rules:'
	echo '  - { name: wide, match: { proto: udp, dport: 70000 }, action: kernel }')
bad 2 'wye.yaml:[0-9]+:[0-9]+: .*r1' 'two ports on a netdev' < <(ports r1 r1; echo "$steering")
bad 2 'wye.yaml:[0-9]+:[0-9]+: ' 'not YAML' <<<'ports: [ { netdev: r1'
bad 1 'r9.*(not there|no such|does not exist)' 'a netdev that does not exist' < <(ports r1 r9; echo "$steering")
bad 1 'cpu.* 99|99.*cpu' 'a CPU that does not exist' < <(ports r1 r2 | sed 's/cpus: .0./cpus: [99]/'; echo "$steering")
bad 1 '[Hh]ugepage' 'no hugepages' < <(ports r1 r2 | sed 's/hugepages: none/hugepages: hugetlbfs/'; echo "$steering")
ip -n router link set r2 mtu 9000
bad 1 'r2.*9000' 'MTU above the limit of AF_XDP' < <(ports r1 r2; echo "$steering")
ip -n router link set r2 mtu 1500
umount /sys/fs/bpf
bad 1 '/sys/fs/bpf.*(mount|bpffs)' 'no bpffs' < <(ports r1 r2; echo "$steering")
mount -t bpf bpf /sys/fs/bpf
run_as=(setpriv --bounding-set=-all --inh-caps=-all)
bad 1 'CAP_|root' 'no capabilities' < <(ports r1 r2; echo "$steering")
run_as=()
rm "$conf"
says 'no file' "$conf.*[Nn]o such file" daemon "$dpd"
equal 'usage: exit status' "$("$dpd" --nonsense >/dev/null 2>&1; echo $?)" 2
steer_all
says 'a second wye-ctld' 'already|running' daemon "$WYE_BUILD/ctlplane/wye-ctld"
check 'after all that it starts' start_dpd
says 'a second wye-dpd' 'already|running' daemon "$WYE_BUILD/dataplane/wye-dpd"

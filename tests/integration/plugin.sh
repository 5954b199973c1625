#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# plugin: plugins stand in the graph where they say, their verdicts hold, and those that are broken are refused by name.
. "$(dirname "$0")/lib.sh"
plugins=/run/plugins
mkdir -m 755 $plugins
cp "$WYE_BUILD"/tests/plugins/*.so "$WYE_BUILD"/dataplane/plugins/*.so $plugins
sed -n '/^## The smallest/,/^Build/s/^    //p' "$lab_top/docs/plugins.md" >/run/look.c
check 'the headers are installed' env DESTDIR=/run/installed meson install -C "$WYE_BUILD" --no-rebuild --quiet
check 'the example of docs/plugins.md builds with them' cc -shared -fPIC -O2 -DALLOW_EXPERIMENTAL_API \
	-I"$(dirname "$(find /run/installed -name wye_plugin.h)")" $(pkg-config --cflags libdpdk) -o $plugins/look.so /run/look.c
lab
# with LOAD...: entries of plugins.load
with() {
	local entry
	configure 'plugins:' "  path: $plugins" '  load:' "$(for entry; do printf '    - %s\n' "$entry"; done)" \
		<<<'steering: { default: dataplane }'
}
restart() { stop "$dpd" && start_dpd; }
counter() { wye -j show plugin "$1" | jq -r ".counters[] | select(.name == \"$2\") | .value"; }
# refused_plugin NAME PATTERN WHAT: in the log and in `wye show plugin`
refused_plugin() {
	says "$3: the log" "plugin \"$1\" is refused: .*$2" cat /run/log/dpd
	says "$3: wye show plugin" "$1 +refused .*$2" wye show plugin
}
node_after() { wye -j show graph | jq -r "[.edges[] | select(.from == \"$1\") | .to] | join(\" \")"; }

with '{ name: verdict }' '{ name: pass, required: true }' '{ name: look }'
check 'daemons start with three plugins' start_daemons
warm
says 'verdict runs' 'verdict +runs +1 +drops port 9' wye show plugin
equal 'they stand in the order of the file' "$(node_after verdict_in) / $(node_after pass4_5)" \
	'punt drop pass4_1 / punt drop look_in'
by_dataplane 1000 'packets through all of them' udp 1000 host1 host2 10.0.2.2
by_dataplane 5 'IPv6 too' ping_from host1 fd00:2::2
at_least 'counted on their way in' "$(counter verdict in)" 1000
at_least 'by the example of the docs' "$(counter look seen)" 1000
at_least 'and out' "$(counter verdict out)" 1000
runtime() { wye -j show runtime | jq -r "[.[] | select(.node == \"$1\") | .$2][0]"; }
equal 'its pre-input node' "$(runtime verdict_look kind), $(runtime verdict_look state)" 'pre-input, polls'
calls=$(runtime port_rx-0-0 calls)
at_least 'is called before inputs are' "$(counter verdict loops)" "$calls"
# datagrams PORT: ten from host1 to host2. counts REASON BEFORE PORT: ten more, and all are counted; the packets of a worker
# that got no CPU are the kernel's, as they should be: then once more
datagrams() { on host1 python3 -c "import socket
for i in range(10): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x' * 20, ('10.0.2.2', $1))"; }
counts() { datagrams "$3"; [ $(($(reason "$1") - $2)) -ge 10 ]; }
to_kernel() { all_ports punted; }
dropped=$(reason plugin_drop) punted=$(reason plugin_punt)
soon 'port 9 is dropped' counts plugin_drop "$dropped" 9
kernel=$(to_kernel)
soon 'port 7 is punted' counts plugin_punt "$punted" 7
kernel_took() { [ $(($(to_kernel) - kernel)) -ge 10 ]; }
soon 'and the kernel gets it' kernel_took
kernel=$(to_kernel) punted=$(reason plugin_punt)
soon 'what a plugin punts at output' counts plugin_punt "$punted" 13
at_most 'is dropped: it is not what came in any more' $(($(to_kernel) - kernel)) 5

# traced QUERY: of the steps of the first packet
traced() { wye -j trace | jq -r "[.packets[0].steps[] | $1] | join(\" \")"; }
check 'a packet of port 13 is traced' wye trace add r1 1 udp port 13
trace_ended() { datagrams 13; [ "$(traced .node)" = 'port_rx-0-0 verdict_in pass4_1 pass4_2 pass4_3 pass4_4 pass4_5 look_in ip4_forward verdict_out-1 drop' ]; }
soon 'through all nodes, plugins'\'' too' trace_ended
equal 'each tells what it did' "$(traced 'select(.node | startswith("verdict")) | "\(.data.udp_port) \(.data.verdict)"')" '13 next 13 punt'
check 'all forgotten' wye trace clear

sed -n '/^## Commands/,/^## /s/^    //p' "$lab_top/docs/plugins.md" | sed '/^install /d' >$plugins/wye-seen
cat >$plugins/wye-tell <<-'EOF'
	#!/bin/sh
	echo "$WYE_RUN_DIR $WYE_CONFIG '$WYE_JSON' $*"
	exit 7
EOF
chmod 755 $plugins/wye-seen $plugins/wye-tell
says 'the command of docs/plugins.md' '^[0-9]+ packets/s$' wye seen
says 'wye help knows it' "^  seen +$plugins/wye-seen$" wye help
equal 'a command finds the state in its environment, and its arguments' "$(wye -j tell -j --help --x 1)" \
	"$run_dir $conf '1' -j --help --x 1"
status_of() { "$@" >/dev/null 2>&1; echo $?; }
equal 'its exit status' "$(status_of wye tell)" 7
equal 'what nobody brings is a bad command' "$(status_of wye no_such)" 2
equal 'nor does a name lead elsewhere' "$(status_of wye ../plugins/wye-tell)" 2
chmod 757 $plugins/wye-tell
says 'one that others may write is not run' 'command "tell" is not run: .*nobody else may write' wye tell
refused 'and not listed' grep -q wye-tell <(wye help)
rm $plugins/wye-tell && ln -s wye-seen $plugins/wye-tell
says 'nor a symbolic link' 'is not run: ' wye tell
equal 'the completion knows it' "$(. "$lab_top/tools/wye.bash-completion"
	COMP_WORDS=(wye see) COMP_CWORD=1
	_wye
	echo "${COMPREPLY[*]}")" seen

# broken ENTRY...: wye-dpd starts with pass, and without any of those
broken() {
	with '{ name: pass }' "$@"
	: >/run/log/dpd
	check 'wye-dpd starts without the broken' restart
}
entries() { printf '{ name: broken_%s }\n' "$@"; }
mapfile -t list < <(entries export abi dpdk self symbol point name taken other twin order ring init)
broken "${list[@]}"
refused_plugin broken_export 'exports no struct wye_plugin' 'no struct'
refused_plugin broken_abi 'plugin ABI 4 and DPDK .*, this is 3' 'another ABI'
refused_plugin broken_dpdk 'plugin ABI 3 and DPDK .*: build it anew' 'another DPDK release'
refused_plugin broken_self 'calls itself "another"' 'another name'
refused_plugin broken_symbol 'undefined symbol: there_is_no_such_function' 'unknown symbol'
refused_plugin broken_point 'no point "nowhere"' 'unknown point'
refused_plugin broken_name 'node "broken-name": a name has' 'a name that a node cannot have'
refused_plugin broken_taken 'node "ip4_forward": there is another' 'a node of ours'
refused_plugin broken_other 'node "pass4_1": there is another' 'a node of another plugin'
refused_plugin broken_twin 'node "broken_twin_node": there is another' 'two nodes of its own'
refused_plugin broken_order '"broken_order" .* after "graf", which there is not' 'unknown init function'
refused_plugin broken_ring 'wait for each other: .*"broken_ring"' 'an order that cannot be'
refused_plugin broken_init 'two init functions are called "eal"' 'an init function of ours'
mapfile -t list < <(entries late room configure start)
broken "${list[@]}" '{ name: no_such }' '{ name: verdict, settings: { colour: blue } }'
refused_plugin broken_late '"broken_late" must come before "graph"' 'an init function that comes late'
refused_plugin broken_room '8 pre-input nodes; 32 and 7 are the most' 'no room'
refused_plugin broken_configure 'its settings: Operation not permitted' 'configure\(\) fails'
refused_plugin broken_start 'init function "broken_start": Device or resource busy' 'init function fails'
equal 'what it had started is undone, what it would have is not started' \
	"$(sed -n 's/.*broken_start: //p' /run/log/dpd | paste -sd ' ')" 'the first is started the first is undone'
refused_plugin no_such 'No such file' 'no file'
refused_plugin verdict 'colour: it knows no such setting' 'unknown setting'
warm
by_dataplane 1000 'and forwards' udp 1000 host1 host2 10.0.2.2
equal 'none of them is in the graph' "$(node_after port_rx-0-0 | grep -c broken)" 0

check 'and ends in order' stop "$dpd"
daemon() { timeout 20 nsenter --net=/run/netns/router -- "$WYE_BUILD/dataplane/wye-dpd" -c "$conf" -r "$run_dir" 2>&1 </dev/null; }
# unsafe WHAT PATTERN: with pass, which is required
unsafe() {
	says "$1" "pass.*refused.*$2.*required" daemon
	refused "$1: wye-dpd does not start" daemon
}
with '{ name: pass, required: true }'
chmod 666 $plugins/pass.so
unsafe 'a file that others may write' 'nobody else may write'
chmod 644 $plugins/pass.so
chown 1234 $plugins/pass.so
unsafe 'a file of somebody else' 'belongs to root'
chown 0 $plugins/pass.so
chmod 777 $plugins
unsafe 'a folder that others may write' 'others than root may write'
chmod 755 $plugins
mv $plugins/pass.so $plugins/real.so && ln -s real.so $plugins/pass.so
unsafe 'a symbolic link' 'symbolic links'
rm $plugins/pass.so && mv $plugins/real.so $plugins/pass.so
check 'put right, it starts' start_dpd

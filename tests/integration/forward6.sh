#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# forward6: IPv6 goes through the dataplane, and not through the kernel.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm

by_dataplane 10 'ping host1 to host2' ping_from host1 fd00:2::2
by_dataplane 10 'ping host2 to host1' ping_from host2 fd00:1::2
by_dataplane 10 'ping with the largest packet' ping_from host1 fd00:2::2 -b 1452
by_dataplane 2000 'UDP' udp 2000 host1 host2 fd00:2::2
by_dataplane 2000 'UDP the other way' udp 2000 host2 host1 fd00:1::2
says 'the hop limit went down by one' '"ttl": \[63\]' udp 10 host1 host2 fd00:2::2
by_dataplane 1000 'TCP' iperf host1 host2 fd00:2::2
by_dataplane 1000 'TCP the other way' iperf host1 host2 fd00:2::2 -R

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# parity_ipvs: while IPVS has a service, which it rewrites the answers of in forwarding, the kernel gets all packets.
. "$(dirname "$0")/parity.sh"
on router ipvsadm -L >/run/output 2>&1 || skip "no IPVS: $(head -n 1 /run/output)"
parity_lab
guarded all ipvs 46 'a virtual service' 'on router ipvsadm -A -t 10.0.9.9:80 -s rr' 'on router ipvsadm -C'
check 'one of IPv6' on router ipvsadm -A -u '[fd00:9::9]:53' -s rr
check 'and another' on router ipvsadm -A -f 7 -s rr
soon 'are seen' held all ipvs
says 'by the first' 'IPVS service (UDP|FWM) ' wye show parity
check 'all go' on router ipvsadm -C
soon 'and are seen to' released all ipvs
by_all dataplane 'without a service'

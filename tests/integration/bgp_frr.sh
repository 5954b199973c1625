#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bgp_frr: the dataplane forwards by a table that FRR brings into the kernel, and follows it.
speaker=frr
. "$(dirname "$0")/bgp.sh"

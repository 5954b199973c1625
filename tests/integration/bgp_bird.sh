#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bgp_bird: the dataplane forwards by a table that BIRD brings into the kernel, and follows it.
speaker=bird
. "$(dirname "$0")/bgp.sh"

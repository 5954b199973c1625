#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# graph: the graph in the docs is the one that runs. When it changes: tests/integration/graph.sh --update
update=${1-}
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
docs=$lab_top/docs
if [ "$update" = --update ]; then
	wye show graph dot >"$docs/graph.dot"
	wye show graph svg >"$docs/graph.svg"
fi

check 'docs/graph.dot is what runs' diff "$docs/graph.dot" <(wye show graph dot)
check 'docs/graph.svg is what runs' diff "$docs/graph.svg" <(wye show graph svg)
edges() { jq -r '.edges[] | "\(.from) \(.to)"' | sort; }
equal 'DOT has the edges of the JSON' "$(wye show graph dot | sed -nE 's/^\t"(.*)" -> "(.*)";$/\1 \2/p' | sort)" "$(wye -j show graph | edges)"
check 'SVG has the nodes and edges of the JSON' python3 - <(wye show graph svg) <(wye -j show graph) <<-'EOF'
	import json, sys, xml.etree.ElementTree as xml
	svg, graph = xml.parse(sys.argv[1]).getroot(), json.load(open(sys.argv[2]))
	name = "{http://www.w3.org/2000/svg}"
	assert sorted(text.text for text in svg.iter(name + "text")) == sorted(graph["nodes"])
	assert len(svg.findall(name + "path")) == len(graph["edges"])
	boxes = [(int(box.get("x")), int(box.get("y"))) for box in svg.iter(name + "rect")]
	assert len(set(boxes)) == len(boxes), "no box on another"
	assert all(0 <= x < int(svg.get("width")) and 0 <= y < int(svg.get("height")) for x, y in boxes)
	EOF
refused 'a picture is no JSON' wye -j show graph svg

package main

import (
	"fmt"
	"html"
	"io"
	"sort"
	"strconv"
	"strings"
)

// edgeColor and edgeDash say how an edge looks in every format.
func edgeColor(kind string) string {
	switch kind {
	case "Requires", "Requisite", "BindsTo":
		return "#1a1a1a"
	case "Wants", "Upholds", "PartOf", "extends":
		return "#6b6b6b"
	case "Conflicts", "OnFailure":
		return "#b3261e"
	case "Triggers", "reads":
		return "#1f6feb"
	}
	return "#3a7d44"
}

func edgeDashed(kind string) bool {
	switch kind {
	case "After", "Before", "reads", "OnFailure", "OnSuccess":
		return true
	}
	return false
}

func graphDot(w io.Writer, g *graph) error {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n", strconv.Quote(g.Name))
	for _, n := range g.Nodes {
		style := ""
		if !n.In {
			style = " [style=dashed]"
		}
		fmt.Fprintf(&b, "  %s%s;\n", dotQuote(n.ID), style)
	}
	for _, e := range g.Edges {
		style := ""
		if edgeDashed(e.Kind) {
			style = ", style=dashed"
		}
		fmt.Fprintf(&b, "  %s -> %s [label=%s, color=%s%s];\n", dotQuote(e.From), dotQuote(e.To), dotQuote(e.Kind), dotQuote(edgeColor(e.Kind)), style)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotQuote quotes for the DOT language, where only the quote is special and a
// backslash begins an escape of labels.
func dotQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func graphMermaid(w io.Writer, g *graph) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	id := map[string]string{}
	for i, n := range g.Nodes {
		id[n.ID] = "n" + strconv.Itoa(i)
		open, end := `["`, `"]`
		if !n.In {
			open, end = `(["`, `"])`
		}
		fmt.Fprintf(&b, "  %s%s%s%s\n", id[n.ID], open, html.EscapeString(n.ID), end)
	}
	for _, e := range g.Edges {
		arrow := "-->"
		if edgeDashed(e.Kind) {
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "  %s %s|%s| %s\n", id[e.From], arrow, e.Kind, id[e.To])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Sizes of the SVG, in pixels.
const (
	svgChar   = 7.4
	svgNode   = 30.0
	svgGapX   = 90.0
	svgGapY   = 16.0
	svgMargin = 20.0
)

type svgBox struct{ x, y, w float64 }

// graphSVG draws the graph in layers from left to right: each node right of
// everything that points at it, edges of cycles apart, and the nodes of a layer
// ordered by where their neighbours stand.
func graphSVG(w io.Writer, g *graph) error {
	layers := g.layers()
	box := map[string]svgBox{}
	x, height := svgMargin, 0.0
	for _, l := range layers {
		width := 60.0
		for _, n := range l {
			width = max(width, float64(len([]rune(n)))*svgChar+20)
		}
		for i, n := range l {
			box[n] = svgBox{x, svgMargin + float64(i)*(svgNode+svgGapY), width}
		}
		height = max(height, float64(len(l))*(svgNode+svgGapY))
		x += width + svgGapX
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="ui-monospace,monospace" font-size="12">`+"\n",
		x-svgGapX+svgMargin, height+2*svgMargin, x-svgGapX+svgMargin, height+2*svgMargin)
	b.WriteString(`<title>` + html.EscapeString(g.Name) + "</title>\n<style>rect{fill:#fff;stroke:#444}text{fill:#111}@media(prefers-color-scheme:dark){rect{fill:#1e1e1e;stroke:#999}text{fill:#eee}}</style>\n")
	b.WriteString(`<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>` + "\n")
	for _, e := range g.Edges {
		f, t := box[e.From], box[e.To]
		x1, y1, x2, y2 := f.x+f.w, f.y+svgNode/2, t.x, t.y+svgNode/2
		bend := max(30, (x2-x1)/2)
		if x2 <= x1 { // within a layer or back: around the right side
			x2 = t.x + t.w
			bend = svgGapX * 0.6
		}
		c2 := x2 - bend
		if x2 == t.x+t.w {
			c2 = x2 + bend
		}
		dash := ""
		if edgeDashed(e.Kind) {
			dash = ` stroke-dasharray="4 3"`
		}
		fmt.Fprintf(&b, `<path d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f" fill="none" stroke="%s"%s marker-end="url(#a)"><title>%s %s %s</title></path>`+"\n",
			x1, y1, x1+bend, y1, c2, y2, x2, y2, edgeColor(e.Kind), dash, html.EscapeString(e.From), e.Kind, html.EscapeString(e.To))
	}
	for _, n := range g.Nodes {
		p := box[n.ID]
		dash := ""
		if !n.In {
			dash = ` stroke-dasharray="4 3"`
		}
		fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.0f" rx="4"%s/><text x="%.1f" y="%.1f">%s</text>`+"\n",
			p.x, p.y, p.w, svgNode, dash, p.x+10, p.y+svgNode/2+4, html.EscapeString(n.ID))
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// layers puts every node into the layer after the last of those that point at
// it; edges that would close a cycle are passed over, the later one in order.
func (g *graph) layers() [][]string {
	next := map[string][]string{}
	for _, e := range g.Edges {
		next[e.From] = append(next[e.From], e.To)
	}
	const white, grey, black = 0, 1, 2
	state := map[string]int{}
	var order []string
	forward := map[string][]string{}
	type step struct {
		node string
		at   int
	}
	for _, root := range g.Nodes { // depth first, without recursion
		if state[root.ID] != white {
			continue
		}
		stack := []step{{root.ID, 0}}
		state[root.ID] = grey
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.at < len(next[top.node]) {
				to := next[top.node][top.at]
				top.at++
				if state[to] != grey {
					forward[top.node] = append(forward[top.node], to)
				}
				if state[to] == white {
					state[to] = grey
					stack = append(stack, step{to, 0})
				}
				continue
			}
			state[top.node] = black
			order = append(order, top.node)
			stack = stack[:len(stack)-1]
		}
	}
	depth := map[string]int{}
	deepest := 0
	for i := len(order) - 1; i >= 0; i-- {
		for _, to := range forward[order[i]] {
			depth[to] = max(depth[to], depth[order[i]]+1)
			deepest = max(deepest, depth[to])
		}
	}
	layers := make([][]string, deepest+1)
	for _, n := range g.Nodes {
		layers[depth[n.ID]] = append(layers[depth[n.ID]], n.ID)
	}
	// Order each layer by the mean place of what points at it.
	back := map[string][]string{}
	for from, tos := range forward {
		for _, to := range tos {
			back[to] = append(back[to], from)
		}
	}
	place := map[string]float64{}
	for _, l := range layers {
		for _, n := range l {
			sum, k := 0.0, 0
			for _, from := range back[n] {
				sum, k = sum+place[from], k+1
			}
			if k > 0 {
				place[n] = sum / float64(k)
			}
		}
		sort.SliceStable(l, func(i, j int) bool { return place[l[i]] < place[l[j]] })
		for i, n := range l {
			place[n] = float64(i)
		}
	}
	return layers
}

/* Edit split: a grid cut in two by itself. Random spanning trees are cut at each of their borders; the best cut has
   the fewest households outside the band; where some are, about equal halves; then a short border between these. */
(function (gm) {
  "use strict";

  const TREES = 300;

  /* Mulberry32: the same seed gives the same proposals on every machine. */
  function randomFrom(seed) {
    let state = seed >>> 0;
    return function () {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  /* Two lists of atoms, or null where the grid hangs together nowhere (its pieces are not joined) or is one atom.
     `number` picks another proposal. */
  gm.splitInTwo = function (state, land, g, number) {
    const atoms = Array.from(state.members(g)), n = atoms.length, of = state.grids[g];
    if (n < 2) return null;
    const local = new Map(atoms.map(function (a, i) { return [a, i]; })), edges = [];
    atoms.forEach(function (a, i) {
      for (let k = land.joins.start[a]; k < land.joins.start[a + 1]; k++) {
        const j = local.get(land.joins.of[k]);
        if (j !== undefined && i < j) edges.push([i, j, land.joins.metres[k]]);
      }
    });
    const counts = atoms.some(function (a) { return state.weight[a] > 0; });
    const weight = atoms.map(function (a) { return counts ? state.weight[a] : 1; });
    const total = weight.reduce(function (a, b) { return a + b; }, 0);
    const lower = counts ? of.lower : 0, upper = counts && of.upper !== null ? of.upper : Infinity;
    const random = randomFrom(n * 7919 + 104729 * (number || 0));
    let best = null;
    for (let t = 0; t < TREES; t++) {
      const tree = spanning(n, edges, random);
      if (!tree) return null;
      // leaves first: what hangs below each atom
      const held = weight.slice(), sides = [];
      for (let k = n - 1; k > 0; k--) held[tree.parent[tree.order[k]]] += held[tree.order[k]];
      for (let k = 1; k < n; k++) {
        const v = tree.order[k], out = outside(held[v]) + outside(total - held[v]);
        sides.push([out, Math.abs(held[v] - total / 2) / total, v]);
      }
      sides.sort(function (a, b) { return Math.abs(a[0] - b[0]) > 1e-9 ? a[0] - b[0] : a[1] - b[1]; });
      sides.slice(0, 3).forEach(function (side) {
        // where no cut is within the band, all may be equally far from it
        const fair = side[0] > 1e-9 ? Math.floor(side[1] * 10) : 0;
        if (best && (side[0] > best.out + 1e-9 || side[0] > best.out - 1e-9 && fair > best.fair)) return;
        const inside = below(tree, side[2], n);
        let border = 0;
        edges.forEach(function (e) { if (inside[e[0]] !== inside[e[1]]) border += e[2]; });
        const score = border * (1 + 2 * side[1]);
        if (!best || side[0] < best.out - 1e-9 || fair < best.fair || score < best.score) best = { out: side[0], fair: fair, score: score, inside: inside };
      });
    }
    function outside(w) { return w < lower ? lower - w : w > upper ? w - upper : 0; }
    const halves = [[], []];
    atoms.forEach(function (a, i) { halves[best.inside[i] ? 1 : 0].push(a); });
    return halves;
  };

  /* A random spanning tree (Kruskal on shuffled borders, long ones first more often than not); null without one. */
  function spanning(n, edges, random) {
    const root = new Int32Array(n).map(function (_, i) { return i; }), links = Array.from({ length: n }, function () { return []; });
    const find = function (i) { while (root[i] !== i) i = root[i] = root[root[i]]; return i; };
    const order = edges.map(function (e, k) { return [random() / (1 + Math.sqrt(e[2])), k]; }).sort(function (a, b) { return a[0] - b[0]; });
    let count = 1;
    order.forEach(function (one) {
      const e = edges[one[1]], a = find(e[0]), b = find(e[1]);
      if (a === b) return;
      root[a] = b;
      links[e[0]].push(e[1]);
      links[e[1]].push(e[0]);
      count++;
    });
    if (count < n) return null;
    const parent = new Int32Array(n).fill(-1), list = [0], seen = new Uint8Array(n);
    seen[0] = 1;
    for (let k = 0; k < list.length; k++) links[list[k]].forEach(function (b) { if (!seen[b]) { seen[b] = 1; parent[b] = list[k]; list.push(b); } });
    return { parent: parent, order: list };
  }

  function below(tree, top, n) {
    const inside = new Uint8Array(n);
    inside[top] = 1;
    tree.order.forEach(function (v) { if (tree.parent[v] >= 0 && inside[tree.parent[v]]) inside[v] = 1; });
    return inside;
  }
})(window.gridmap = window.gridmap || {});

/* Edit land: the atoms of a plan as the borders between them, each once; what joins what; and outlines of any group. */
(function (gm) {
  "use strict";

  /* numbers that were stored as differences */
  function summed(text) {
    const out = gm.varints(text);
    for (let i = 1; i < out.length; i++) out[i] += out[i - 1];
    return out;
  }

  /* For each of n keys the values that go with it: start[k] ... start[k + 1] of `of`. */
  gm.listsOf = function (n, keys, values) {
    const start = new Uint32Array(n + 1), of = new Int32Array(keys.length);
    for (let i = 0; i < keys.length; i++) if (keys[i] >= 0) start[keys[i] + 1]++;
    for (let k = 0; k < n; k++) start[k + 1] += start[k];
    const at = start.slice();
    for (let i = 0; i < keys.length; i++) if (keys[i] >= 0) of[at[keys[i]]++] = values ? values[i] : i;
    return { start: start, of: of };
  };

  gm.editLand = function (edit, frame) {
    const n = edit.atoms.n, arcs = edit.arcs;
    const left = summed(arcs.left), step = gm.varints(arcs.right), right = new Int32Array(left.length);
    for (let i = 0; i < right.length; i++) right[i] = step[i] ? left[i] + step[i] : -1;
    const count = left.length;
    // a layer of lines, one line a feature, decoded as all shapes are
    const lines = gm.shapes({ n: count, shape: 1, rings: btoa("\x01".repeat(count)), sizes: arcs.sizes, xy: arcs.xy }, frame);
    const beside = [], arc = [];
    for (let i = 0; i < count; i++) {
      beside.push(left[i]); arc.push(i);
      if (right[i] >= 0) { beside.push(right[i]); arc.push(i); }
    }
    const arcsOf = gm.listsOf(n, beside, arc);

    const box = new Float64Array(4 * n);
    for (let a = 0; a < n; a++) {
      const b = [Infinity, Infinity, -Infinity, -Infinity];
      for (let k = arcsOf.start[a]; k < arcsOf.start[a + 1]; k++) {
        const c = 4 * arcsOf.of[k];
        b[0] = Math.min(b[0], lines.box[c]); b[1] = Math.min(b[1], lines.box[c + 1]);
        b[2] = Math.max(b[2], lines.box[c + 2]); b[3] = Math.max(b[3], lines.box[c + 3]);
      }
      box.set(b, 4 * a);
    }

    // -- what joins: pairs that share an arc and have their bit set, and those that lie apart (pieces, bridges) --------
    const bits = gm.bytes(edit.joined), from = [], to = [], metres = [];
    const near = new Map();                // pair -> position in from/to
    let pair = -1, last = -1, lastRight = -1;
    for (let i = 0; i < count; i++) {
      if (right[i] < 0) continue;
      if (left[i] !== last || right[i] !== lastRight) { pair++; last = left[i]; lastRight = right[i]; }
      if (!(bits[pair >> 3] >> (pair & 7) & 1)) continue;
      const key = left[i] * n + right[i];
      if (!near.has(key)) { near.set(key, from.length); from.push(left[i]); to.push(right[i]); metres.push(0); }
      metres[near.get(key)] += lengthOf(i);
    }
    const farA = summed(edit.far[0]), farB = gm.varints(edit.far[1]);
    for (let i = 0; i < farA.length; i++) { from.push(farA[i]); to.push(farB[i]); metres.push(0); }
    const both = gm.listsOf(n, from.concat(to));
    const m = from.length, other = new Int32Array(both.of.length), long = new Float64Array(both.of.length);
    for (let k = 0; k < both.of.length; k++) {
      const e = both.of[k];
      other[k] = e < m ? to[e] : from[e - m];
      long[k] = metres[e < m ? e : e - m];
    }
    const joins = { start: both.start, of: other, metres: long };

    function lengthOf(i) {                 // metres, near enough for comparing borders
      let sum = 0;
      for (let p = lines.pointStart[i] + 1; p < lines.pointStart[i + 1]; p++) sum += Math.hypot(lines.x[p] - lines.x[p - 1], lines.y[p] - lines.y[p - 1]);
      return sum * 360 / 256 * 111320 * Math.cos(frame[1] * Math.PI / 180);
    }

    function contains(a, wx, wy) {
      const b = 4 * a;
      if (wx < box[b] || wx > box[b + 2] || wy < box[b + 1] || wy > box[b + 3]) return false;
      let inside = false;
      for (let k = arcsOf.start[a]; k < arcsOf.start[a + 1]; k++) {
        const i = arcsOf.of[k];
        for (let p = lines.pointStart[i] + 1; p < lines.pointStart[i + 1]; p++) {
          const y0 = lines.y[p - 1], y1 = lines.y[p];
          if (y0 > wy !== y1 > wy && wx < (lines.x[p - 1] - lines.x[p]) * (wy - y1) / (y0 - y1) + lines.x[p]) inside = !inside;
        }
      }
      return inside;
    }

    /* Arcs strung together to closed rings, each a list of [arc, backwards]. Where several go on, any will do: what
       is inside by the even-odd rule is the same. */
    function rings(list) {
      const ends = new Map(), used = new Set(), out = [];
      const key = function (p) { return lines.x[p] + ":" + lines.y[p]; };
      const head = function (i) { return key(lines.pointStart[i]); }, tail = function (i) { return key(lines.pointStart[i + 1] - 1); };
      list.forEach(function (i) {
        [head(i), tail(i)].forEach(function (end) { if (!ends.has(end)) ends.set(end, []); ends.get(end).push(i); });
      });
      list.forEach(function (first) {
        if (used.has(first)) return;
        const ring = [[first, false]], start = head(first);
        used.add(first);
        for (let at = tail(first); at !== start;) {
          const next = ends.get(at).find(function (i) { return !used.has(i); });
          if (next === undefined) break;
          used.add(next);
          const back = head(next) !== at;
          ring.push([next, back]);
          at = back ? head(next) : tail(next);
        }
        out.push(ring);
      });
      return out;
    }

    function traceRing(view, ring) {
      const context = view.context;
      let px = NaN, py = NaN;
      ring.forEach(function (part, r) {
        const i = part[0], from = lines.pointStart[i], to = lines.pointStart[i + 1], n = to - from;
        for (let k = 0; k < n; k++) {
          const p = part[1] ? to - 1 - k : from + k;
          const qx = lines.x[p] * view.scale - view.ox, qy = lines.y[p] * view.scale - view.oy;
          if (r === 0 && k === 0) context.moveTo(qx, qy);
          else if (Math.abs(qx - px) + Math.abs(qy - py) < 0.7 && k < n - 1) continue;
          else context.lineTo(qx, qy);
          px = qx; py = qy;
        }
      });
      context.closePath();
    }

    /* The arcs with exactly one side in the group. */
    function outline(atoms) {
      const inside = new Set(atoms), out = [];
      atoms.forEach(function (a) {
        for (let k = arcsOf.start[a]; k < arcsOf.start[a + 1]; k++) {
          const i = arcsOf.of[k];
          if (right[i] < 0 || inside.has(left[i]) !== inside.has(right[i])) out.push(i);
        }
      });
      return out;
    }

    return {
      n: n, left: left, right: right, lines: lines, box: box, joins: joins, contains: contains, outline: outline, rings: rings,
      trace: function (view, ringList) { ringList.forEach(function (ring) { traceRing(view, ring); }); },
      /* atoms whose box meets a rectangle of world pixels */
      near: function (west, north, east, south, visit) {
        for (let a = 0; a < n; a++) if (box[4 * a] <= east && box[4 * a + 2] >= west && box[4 * a + 1] <= south && box[4 * a + 3] >= north) visit(a);
      },
      at: function (wx, wy) {
        for (let a = 0; a < n; a++) if (contains(a, wx, wy)) return a;
        return -1;
      },
      bounds: function (atoms) {
        const b = [Infinity, Infinity, -Infinity, -Infinity];
        atoms.forEach(function (a) {
          b[0] = Math.min(b[0], box[4 * a]); b[1] = Math.min(b[1], box[4 * a + 1]);
          b[2] = Math.max(b[2], box[4 * a + 2]); b[3] = Math.max(b[3], box[4 * a + 3]);
        });
        return b;
      }
    };
  };
})(window.gridmap = window.gridmap || {});

/* Edit state: which grid each atom is in, what may be done and why not, the edits made, undo and redo.

   The rules are those of GridPlan.move, merge and split in gridmap/division/plans/edits.py: what is refused here would
   be refused there. No drawing, and no words: reasons are keys with values. */
(function (gm) {
  "use strict";

  const ROUNDING = 1e-6;

  gm.editState = function (data, land) {
    const edit = data.edit, n = edit.atoms.n, table = data.layers.grids;
    const less = function (text) { return Int32Array.from(gm.varints(text), function (v) { return v - 1; }); };
    const community = Int32Array.from(gm.varints(edit.atoms.community));
    const building = less(edit.atoms.building), buildings = gm.varints(edit.atoms.buildings), compound = less(edit.atoms.compound);
    const households = edit.atoms.households, weight = edit.atoms.weight || households;
    const limits = table.lower && table.held ? table : null, kinds = gm.coded(table.kind);
    const atomId = edit.atoms.id.map(function (id, a) {
      if (id === "") return "bc"[+edit.atoms.kind[a]] + ":" + (edit.atoms.kind[a] === "0" ? data.layers.buildings.id[building[a]] : data.layers.compounds.id[compound[a]]);
      return typeof id === "number" ? "l:" + edit.communities[community[a]].id + "-" + id : id;
    });
    const first = less(edit.atoms.grid), grid = first.slice();
    const rules = gm.editRules(edit, grid, community, compound);
    const highest = edit.communities.map(function (c) { return c.highest; });

    /* Grids by number: those of the table, then every new one ever made; one without atoms is gone. */
    const grids = table.id.map(function (id, row) {
      return {
        id: id, row: row, community: edit.grids.community[row], fixed: edit.grids.fixed[row] || "",
        dedicated: kinds(row) === "dedicated",
        lower: limits ? limits.lower[row] : data.band[0], upper: limits ? limits.upper[row] : data.band[1]
      };
    });
    const byId = new Map(grids.map(function (g, k) { return [g.id, k]; }));
    const weights = edit.communities.map(function () { return 0; });
    community.forEach(function (c, a) { weights[c] += weight[a]; });

    let lists = null;                      // atoms by grid, made anew after each change
    function members(g) {
      if (!lists) lists = gm.listsOf(grids.length, grid);
      return g + 1 < lists.start.length ? lists.of.subarray(lists.start[g], lists.start[g + 1]) : new Int32Array(0);
    }
    function sum(values, atoms) { let out = 0; for (let i = 0; i < atoms.length; i++) out += values[atoms[i]]; return Math.round(out / ROUNDING) * ROUNDING; }
    function isTouched(g) {
      for (let a = 0; a < n; a++) if (grid[a] !== first[a] && (grid[a] === g || first[a] === g)) return true;
      return false;
    }
    /* households, what the band counts, and status of a grid that held these atoms */
    function judged(g, atoms, other) {
      const of = grids[g], held = sum(weight, atoms);
      const slack = 1e-9 * Math.max(1, Math.abs(held)), upper = of.upper === null ? Infinity : of.upper;
      const status = of.dedicated ? "dedicated" : weights[of.community] === 0 ? "empty"
        : held < of.lower - slack ? "below" : held > upper + slack ? "above" : "legal";
      return { grid: g, households: round(sum(households, atoms) + (other || 0)), held: round(held), status: status, atoms: atoms.length };
    }
    function round(v) { return Math.abs(v - Math.round(v)) < ROUNDING ? Math.round(v) : v; }
    function count(g) { return judged(g, members(g), isTouched(g) ? 0 : edit.grids.other[g]); }

    /* Number of the connected piece of each atom listed. */
    function pieces(atoms) {
      const piece = new Map();
      atoms.forEach(function (a) { piece.set(a, -1); });
      let number = 0;
      atoms.forEach(function (seed) {
        if (piece.get(seed) >= 0) return;
        const stack = [seed];
        piece.set(seed, number);
        while (stack.length) {
          const a = stack.pop();
          for (let k = land.joins.start[a]; k < land.joins.start[a + 1]; k++) {
            const b = land.joins.of[k];
            if (piece.get(b) === -1) { piece.set(b, number); stack.push(b); }
          }
        }
        number++;
      });
      return piece;
    }

    /* Atoms cut off from the largest part of the piece that they were in before. */
    function torn(before, after) {
      const was = pieces(before), now = pieces(after), held = new Map(), largest = new Map();
      after.forEach(function (a) { held.set(now.get(a), (held.get(now.get(a)) || 0) + weight[a] + 1e-9); });
      after.forEach(function (a) {
        const best = largest.get(was.get(a)), mine = now.get(a);
        if (best === undefined || held.get(mine) > held.get(best) || held.get(mine) === held.get(best) && mine < best) largest.set(was.get(a), mine);
      });
      return Array.from(after).filter(function (a) { return largest.get(was.get(a)) !== now.get(a); });
    }

    function no(key, values, atoms) { return { ok: false, key: key, values: values || {}, atoms: atoms || [] }; }
    function without(atoms, taken) { const gone = new Set(taken); return Array.from(atoms).filter(function (a) { return !gone.has(a); }); }
    function home(g) { return grids[g].community; }
    function fixed(list) {
      const g = list.find(function (k) { return grids[k].fixed; });
      return g === undefined ? null : no("edit.no." + grids[g].fixed, { grid: g });
    }
    /* what an edit that puts lists of atoms into grids breaks and mends; a grid that is still to be made is below -1 */
    function ruled(check, lists, to) {
      const target = new Map();
      lists.forEach(function (atoms, k) { atoms.forEach(function (a) { target.set(a, to[k]); }); });
      return Object.assign(check, rules.changes(target));
    }
    function sources(atoms) { return Array.from(new Set(atoms.map(function (a) { return grid[a]; }))).filter(function (g) { return g >= 0; }); }

    // -- what may be done --------------------------------------------------------------------------------------------
    function canMove(all, to) {
      const atoms = all.filter(function (a) { return grid[a] !== to; });
      if (!atoms.length) return no("edit.no.there", { grid: to });
      const from = sources(atoms), stays = fixed([to].concat(from));
      if (stays) return stays;
      const strangers = atoms.filter(function (a) { return community[a] !== home(to); });
      if (strangers.length) return no("edit.no.community", { grid: to }, strangers);
      const out = { ok: true, before: from.concat([to]).map(count), after: [] };
      for (const g of from) {
        const rest = without(members(g), atoms);
        if (!rest.length) return no("edit.no.empties", { grid: g });
        const off = torn(members(g), rest);
        if (off.length) return no("edit.no.torn", { grid: g, n: off.length, households: sum(households, off) }, off);
        out.after.push(judged(g, rest));
      }
      const whole = Array.from(members(to)).concat(atoms), piece = pieces(whole), joined = new Set();
      members(to).forEach(function (a) { joined.add(piece.get(a)); });
      const alone = atoms.filter(function (a) { return !joined.has(piece.get(a)); });
      if (alone.length) return no("edit.no.apart", { grid: to }, alone);
      out.after.push(judged(to, whole));
      return ruled(out, [atoms], [to]);
    }

    function canMerge(list) {
      const stays = fixed(list);
      if (stays) return stays;
      if (list.some(function (g) { return home(g) !== home(list[0]); })) return no("edit.no.merge_community");
      const group = new Set([list[0]]), queue = [list[0]], all = new Set(list);
      while (queue.length) neighbours(members(queue.pop())).forEach(function (g) { if (all.has(g) && !group.has(g)) { group.add(g); queue.push(g); } });
      if (group.size < list.length) return no("edit.no.merge_apart", { grid: list.find(function (g) { return !group.has(g); }) });
      const kept = list.slice().sort(function (a, b) {
        return sum(households, members(b)) - sum(households, members(a)) || (grids[a].id < grids[b].id ? -1 : 1);
      })[0];
      const whole = [].concat.apply([], list.map(function (g) { return Array.from(members(g)); }));
      return ruled({ ok: true, kept: kept, before: list.map(count), after: [judged(kept, whole)] }, [whole], [kept]);
    }

    /* parts: lists of atoms */
    function canSplit(g, parts) {
      const stays = fixed([g]);
      if (stays) return stays;
      if (parts.some(function (part) { return !part.length; })) return no("edit.no.split_all", { grid: g });
      for (const part of parts) {
        const off = torn(members(g), part);
        if (off.length) return no("edit.no.split_torn", { n: off.length, households: sum(households, off) }, off);
      }
      const check = { ok: true, before: [count(g)], after: parts.map(function (part) { return judged(g, part); }) };
      return ruled(check, parts, parts.map(function (part, k) { return -2 - k; }));
    }

    /* Grids joined to some atoms, those with the longest common border first. */
    function neighbours(atoms) {
      const inside = new Set(atoms), long = new Map();
      atoms.forEach(function (a) {
        for (let k = land.joins.start[a]; k < land.joins.start[a + 1]; k++) {
          const b = land.joins.of[k];
          if (!inside.has(b) && grid[b] >= 0) long.set(grid[b], (long.get(grid[b]) || 0) + land.joins.metres[k] + 1e-9);
        }
      });
      return Array.from(long.keys()).sort(function (a, b) { return long.get(b) - long.get(a) || a - b; });
    }

    // -- names of new grids ------------------------------------------------------------------------------------------
    function grown(id, c) {
      if (byId.has(id)) return byId.get(id);
      const own = edit.communities[c];
      grids.push({
        id: id, row: -1, community: c, fixed: "", dedicated: false, lower: own.lower, upper: own.upper
      });
      byId.set(id, grids.length - 1);
      return grids.length - 1;
    }
    function nextCode(c, top) {
      const own = edit.communities[c], taken = new Set(table.id);
      grid.forEach(function (g) { if (g >= 0) taken.add(grids[g].id); });
      for (let k = top[c] + 1; k < Math.pow(10, edit.digits); k++) {
        const id = own.start + String(k).padStart(edit.digits, "0");
        if (!taken.has(id)) { top[c] = k; return id; }
      }
      return null;
    }

    // -- edits -------------------------------------------------------------------------------------------------------
    const done = [], undone = [];
    let saved = 0, version = 0;

    function record(what, target, check, top) {
      const change = { atoms: [], from: [], to: [] };
      target.forEach(function (g, a) {
        if (grid[a] !== g) { change.atoms.push(a); change.from.push(grid[a]); change.to.push(g); }
      });
      const entry = { edit: what, change: change, before: check.before, breaks: check.breaks, mends: check.mends, highest: highest.slice(), top: top || highest.slice() };
      undone.length = 0;
      if (saved > done.length) saved = -1;
      forward(entry);
      entry.after = Array.from(new Set(change.to.concat(check.before.map(function (c) { return c.grid; })))).filter(function (g) { return g >= 0 && members(g).length; }).map(count);
      return entry;
    }
    function forward(entry) { put(entry.change.atoms, entry.change.to, entry.top); done.push(entry); }
    function put(atoms, to, top) {
      atoms.forEach(function (a, k) { grid[a] = to[k]; });
      top.forEach(function (h, c) { highest[c] = h; });
      lists = null;
      version++;
    }

    function move(atoms, to) {
      const check = canMove(atoms, to);
      if (!check.ok) return check;
      const moved = atoms.filter(function (a) { return grid[a] !== to; }), target = new Map();
      moved.forEach(function (a) { target.set(a, to); });
      return record({ op: "move", atoms: moved.map(function (a) { return atomId[a]; }), to: grids[to].id }, target, check);
    }

    function merge(list) {
      const check = canMerge(list);
      if (!check.ok) return check;
      const target = new Map();
      let kept = check.kept;
      const c = home(kept), alone = edit.communities[c].undivided;
      const others = new Set(list), left = grid.some(function (g, a) { return community[a] === c && g >= 0 && !others.has(g); });
      // the last grid of a community gets the code of one that is not divided, where the scheme has such
      if (alone && !left && grids[kept].id.length === alone.length) kept = grown(alone, c);
      list.forEach(function (g) { members(g).forEach(function (a) { target.set(a, kept); }); });
      return record({ op: "merge", grid_ids: list.map(function (g) { return grids[g].id; }) }, target, check);
    }

    /* One with more than half of the households keeps the code, unless it is that of a community not divided. `codes`
       says in the file which part got which. */
    function split(g, parts, codes) {
      const check = canSplit(g, parts);
      if (!check.ok) return check;
      const held = parts.map(function (part) { return sum(households, part); }), all = held.reduce(function (a, b) { return a + b; }, 0);
      const c = home(g), undivided = grids[g].id === edit.communities[c].undivided, top = highest.slice();
      let ids = codes;
      if (!ids) {
        ids = held.map(function (v) { return !undivided && 2 * v > all + ROUNDING ? grids[g].id : null; });
        ids = ids.map(function (id) { return id || nextCode(c, top); });
      } else {
        const own = ids.map(function (id) { return id === grids[g].id ? id : nextCode(c, top); });
        if (ids.slice().sort().join() !== own.slice().sort().join()) return no("edit.no.codes", { grid: g });
      }
      if (ids.some(function (id) { return id === null; })) return no("edit.no.numbers");
      const target = new Map();
      parts.forEach(function (part, k) { const to = grown(ids[k], c); part.forEach(function (a) { target.set(a, to); }); });
      return record({ op: "split", grid_id: grids[g].id, parts: parts.map(function (part) { return part.map(function (a) { return atomId[a]; }); }), codes: ids }, target, check, top);
    }

    function undo() {
      if (!done.length) return null;
      const entry = done.pop();
      put(entry.change.atoms, entry.change.from, entry.highest);
      undone.push(entry);
      return entry;
    }
    function redo() {
      if (!undone.length) return null;
      const entry = undone.pop();
      forward(entry);
      return entry;
    }

    // -- files -------------------------------------------------------------------------------------------------------
    function asFile() { return { plan_hash: edit.plan_hash, edits: done.map(function (e) { return e.edit; }) }; }

    /* Replays the edits of a file on the plan as it came; on a fault nothing is changed. */
    function open(file) {
      if (!file || typeof file !== "object" || !Array.isArray(file.edits)) return no("edit.no.file");
      if (file.plan_hash !== edit.plan_hash) return no("edit.no.other_plan", { theirs: String(file.plan_hash).slice(0, 40), ours: edit.plan_hash });
      const kept = done.slice(), again = undone.slice(), mark = saved;
      while (done.length) undo();
      for (let k = 0; k < file.edits.length; k++) {
        const result = repeat(file.edits[k]);
        if (result.ok === false) {
          while (done.length) undo();
          kept.forEach(forward);
          undone.length = 0;
          again.forEach(function (e) { undone.push(e); });
          saved = mark;
          return Object.assign(result, { number: k + 1, of: file.edits.length });
        }
      }
      undone.length = 0;
      saved = done.length;
      return { ok: true, n: done.length };
    }

    let atomAt = null;
    function repeat(one) {
      atomAt = atomAt || new Map(atomId.map(function (id, a) { return [id, a]; }));
      const asAtoms = function (ids) { return Array.isArray(ids) && ids.every(function (id) { return atomAt.has(id); }) ? ids.map(function (id) { return atomAt.get(id); }) : null; };
      const asGrid = function (id) { return byId.has(id) && members(byId.get(id)).length ? byId.get(id) : -1; };
      if (!one || typeof one !== "object") return no("edit.no.file");
      if (one.op === "move") {
        const atoms = asAtoms(typeof one.atoms === "string" ? [one.atoms] : one.atoms), to = asGrid(one.to);
        return atoms && to >= 0 ? move(atoms, to) : no("edit.no.unknown");
      }
      if (one.op === "merge") {
        const list = (Array.isArray(one.grid_ids) ? one.grid_ids : []).map(asGrid);
        return list.length > 1 && list.every(function (g) { return g >= 0; }) ? merge(list) : no("edit.no.unknown");
      }
      if (one.op === "split") {
        const g = asGrid(one.grid_id);
        if (g < 0) return no("edit.no.unknown");
        if (!Array.isArray(one.parts)) return no("edit.no.number");
        const parts = one.parts.map(asAtoms), named = parts.every(Boolean) ? [].concat.apply([], parts) : null;
        const here = named && new Set(named).size === named.length && named.length === members(g).length && named.every(function (a) { return grid[a] === g; });
        return here ? split(g, parts, one.codes) : no("edit.no.unknown");
      }
      return no("edit.no.file");
    }

    function overall() {
      const out = { legal: 0, judged: 0, grids: 0, off: [] };
      grids.forEach(function (of, g) {
        if (!members(g).length) return;
        out.grids++;
        const status = count(g).status;
        if (status === "legal" || status === "above" || status === "below") out.judged++;
        if (status === "legal") out.legal++; else if (status === "above" || status === "below") out.off.push(g);
      });
      return out;
    }

    /* Parts of a compound that are not among the atoms listed. */
    function restOfCompounds(atoms) {
      const inside = new Set(atoms), wanted = new Set(atoms.map(function (a) { return compound[a]; }));
      const out = [];
      for (let a = 0; a < n; a++) if (compound[a] >= 0 && wanted.has(compound[a]) && !inside.has(a) && community[a] === community[atoms[0]]) out.push(a);
      return out;
    }

    /* What a reader calls a grid inside its community, in the language that the page speaks now. */
    function title(g) { const row = grids[g].row; return row < 0 ? grids[g].id.slice(-edit.digits) : table.name[row] || table.label[row]; }

    return {
      title: title, grids: grids, grid: grid, atomId: atomId, community: community, compound: compound, building: building, buildings: buildings,
      kind: edit.atoms.kind, households: households, weight: weight, done: done, undone: undone,
      members: members, count: count, judged: judged, sum: sum, neighbours: neighbours, overall: overall, broken: rules.broken, restOfCompounds: restOfCompounds,
      canMove: canMove, canMerge: canMerge, canSplit: canSplit, move: move, merge: merge, split: split, undo: undo, redo: redo,
      asFile: asFile, open: open,
      version: function () { return version; },
      isSaved: function () { return saved === done.length; },
      markSaved: function () { saved = done.length; },
      isThere: function (g) { return members(g).length > 0; },
      gridOf: function (id) { return byId.has(id) ? byId.get(id) : -1; }
    };
  };
})(window.gridmap = window.gridmap || {});

/* Edit rules: buildings that belong together or apart, villager groups and compounds: which an edit breaks or mends.

   They are judged as gridmap/division/rules/pairs.py and villager_groups.py judge them. No words. */
(function (gm) {
  "use strict";

  /* grid, community and compound by atom */
  gm.editRules = function (edit, grid, community, compound) {
    const rules = [], ofAtom = new Map(), given = edit.rules || {};
    function add(kind, name, sides, counted) {
      const rule = { kind: kind, name: name, sides: sides, atoms: [].concat.apply([], sides).filter(function (a) { return a >= 0; }), counted: counted };
      rule.atoms.forEach(function (a) { if (!ofAtom.has(a)) ofAtom.set(a, []); ofAtom.get(a).push(rule); });
      rules.push(rule);
    }
    /* atoms that have the same key, where they are several */
    function addWholes(kind, key, name) {
      const atoms = new Map();
      grid.forEach(function (g, a) {
        const k = key(a);
        if (k === null) return;
        if (!atoms.has(k)) atoms.set(k, []);
        atoms.get(k).push(a);
      });
      atoms.forEach(function (list) { if (list.length > 1) add(kind, name(list[0]), [list], false); });
    }
    (given.together || []).forEach(function (one) { add("together", one.ids, [one.atoms], true); });
    (given.apart || []).forEach(function (one) { add("apart", one.ids, one.atoms, false); });
    if (given.groups) {
      const of = gm.varints(given.groups.of);
      addWholes("group", function (a) { return of[a] || null; }, function (a) { return given.groups.names[of[a] - 1]; });
    }
    // a compound on both sides of a community's border is two
    addWholes("compound", function (a) { return compound[a] < 0 ? null : compound[a] + "/" + community[a]; }, function (a) { return compound[a]; });

    function gridsOf(atoms, at, counted) { return new Set(atoms.map(at).filter(function (g) { return counted || g !== -1; })); }
    function isBroken(rule, at) {
      const first = gridsOf(rule.sides[0], at, rule.counted);
      if (rule.kind !== "apart") return first.size > 1;
      return Array.from(gridsOf(rule.sides[1], at, false)).some(function (g) { return first.has(g); });
    }
    function now(a) { return a < 0 ? -1 : grid[a]; }
    return {
      /* all that is not kept now */
      broken: function () { return rules.filter(function (rule) { return isBroken(rule, now); }); },
      /* what it breaks, and mends, to give atoms another grid: a Map */
      changes: function (target) {
        const near = new Set(), out = { breaks: [], mends: [] };
        target.forEach(function (g, a) { (ofAtom.get(a) || []).forEach(function (rule) { near.add(rule); }); });
        const then = function (a) { return target.has(a) ? target.get(a) : now(a); };
        rules.forEach(function (rule) {
          if (!near.has(rule)) return;
          const before = isBroken(rule, now), after = isBroken(rule, then);
          if (after && !before) out.breaks.push(rule);
          if (before && !after) out.mends.push(rule);
        });
        return out;
      }
    };
  };
})(window.gridmap = window.gridmap || {});

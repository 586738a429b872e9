"""Compiled: which sites another one can stand in for, and which demands are covered with another one."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled


@compiled
def dominated(
    site_ptr: np.ndarray,
    demand: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    cost: np.ndarray,
    kept: np.ndarray,
) -> np.ndarray:
    """Sites whose every demand is reached by one other site that costs no more, and sites that reach nothing.

    Parameters
    ----------
    site_ptr, demand, demand_ptr, site
        As in `Pairs`.
    cost
        float64 (sites,).
    kept
        bool (sites,), which are there in any case: they cost nothing more.

    Returns
    -------
    ndarray
        bool (sites,). Of equal sites all but the first are told, or all but those kept.
    """
    sites = len(site_ptr) - 1
    told = np.zeros(sites, np.bool_)
    left = np.empty(sites, np.int32)
    for s in range(sites):
        reached = demand[site_ptr[s] : site_ptr[s + 1]]
        if len(reached) == 0:
            told[s] = True
            continue
        if kept[s]:
            continue
        # those that reach what the fewest sites reach, and are large and cheap enough
        rarest = reached[0]
        for d in reached:
            if demand_ptr[d + 1] - demand_ptr[d] < demand_ptr[rarest + 1] - demand_ptr[rarest]:
                rarest = d
        count = 0
        for i in range(demand_ptr[rarest], demand_ptr[rarest + 1]):
            t = site[i]
            size = site_ptr[t + 1] - site_ptr[t]
            if t == s or size < len(reached) or not (kept[t] or cost[t] <= cost[s]):
                continue
            # of equal ones the first stays
            if size > len(reached) or kept[t] or cost[t] < cost[s] or t < s:
                left[count] = t
                count += 1
        for d in reached:
            if count == 0:
                break
            # both lists rise
            i, stays = demand_ptr[d], 0
            for j in range(count):
                while i < demand_ptr[d + 1] and site[i] < left[j]:
                    i += 1
                if i < demand_ptr[d + 1] and site[i] == left[j]:
                    left[stays] = left[j]
                    stays += 1
            count = stays
        told[s] = count > 0
    return told


@compiled
def implied(
    site_ptr: np.ndarray,
    demand: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    must: np.ndarray,
) -> np.ndarray:
    """Demands that every site of a demand that must be covered reaches as well.

    Parameters
    ----------
    site_ptr, demand, demand_ptr, site
        As in `Pairs`.
    must
        int64, the demands that must be covered, those of few sites first; each has a site.

    Returns
    -------
    ndarray
        bool (demands,).
    """
    demands = len(demand_ptr) - 1
    told = np.zeros(demands, np.bool_)
    left = np.empty(demands, np.int32)
    for d in must:
        if told[d]:
            continue
        sites = site[demand_ptr[d] : demand_ptr[d + 1]]
        # what the first of its sites reaches, then what the others reach of that; all lists rise
        count = 0
        for i in range(site_ptr[sites[0]], site_ptr[sites[0] + 1]):
            if demand[i] != d and not told[demand[i]]:
                left[count] = demand[i]
                count += 1
        for s in sites[1:]:
            if count == 0:
                break
            i, stays = site_ptr[s], 0
            for j in range(count):
                while i < site_ptr[s + 1] and demand[i] < left[j]:
                    i += 1
                if i < site_ptr[s + 1] and demand[i] == left[j]:
                    left[stays] = left[j]
                    stays += 1
            count = stays
        told[left[:count]] = True
    return told

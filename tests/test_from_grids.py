"""Grids drawn by hand: every ordinary fault is a finding, and no household is lost on the way."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box
from shapely.affinity import translate

from gridmap.division.plans.plan import GridPlan
from gridmap.errors import OptionError, TableError

CRS = "EPSG:32650"
WEST, SOUTH = 500_000.0, 4_400_000.0


def at(shape):
    return translate(shape, WEST, SOUTH)


def frame(key, shapes, **columns):
    return gpd.GeoDataFrame({key: list(shapes), **columns}, geometry=[at(s) for s in shapes.values()], crs=CRS)


def houses(places, households):
    return frame(
        "building_id",
        {f"b{i}": Point(*p) for i, p in enumerate(places)},
        households=np.broadcast_to(np.asarray(households, dtype=float), len(places)),
    )


TOWN = frame("community_id", {"A": box(0, 0, 400, 100), "B": box(400, 0, 800, 100)}, code=["440103001001", None])


def audit(grids, buildings, **options):
    return GridPlan.from_grids(grids, options.pop("communities", TOWN), buildings, **options)


def rules(plan):
    return plan.findings["rule"].tolist()


def test_a_faultless_drawing_has_no_findings():
    grids = frame(
        "grid_id", {"01": box(0, 0, 400, 100), "02": box(400, 0, 800, 100)}, name=["甲", None], phone=["1", "2"]
    )
    plan = audit(grids, houses([(50, 50), (450, 50), (500, 50)], [400, 200, 150]))
    assert rules(plan) == []
    assert plan.grids["grid_id"].tolist() == ["01", "02"]
    assert plan.grids["community_id"].tolist() == ["A", "B"]
    assert plan.grids["households"].tolist() == [400, 350]
    assert plan.grids["buildings"].tolist() == [1, 2]
    assert plan.grids["status"].tolist() == ["legal", "legal"]
    assert plan.grids["name"].tolist() == ["甲", "02"]
    assert plan.grids["phone"].tolist() == ["1", "2"]
    assert not plan.has_atoms


def test_one_of_160_and_one_of_700():
    grids = frame(
        "grid_id",
        {
            "01": box(0, 0, 100, 100),
            "02": box(100, 0, 250, 100),
            "03": box(250, 0, 400, 100),
            "04": box(400, 0, 800, 100),
        },
    )
    buildings = houses([(50, 50), (150, 40), (150, 60), (300, 50), (500, 50)], [160, 400, 300, 330, 400])
    plan = audit(grids, buildings)
    assert rules(plan) == ["household_band"] * 2
    small, large = plan.findings.to_dict("records")
    assert small["message"] == "Grid 01 holds 160 households, 140 below 300."
    assert small["cure"].startswith("Redraw its border with 02 (together 860)")
    assert large["message"] == "Grid 02 holds 700 households, 200 above 500."
    assert large["cure"].startswith("Split it into 2 of about 350; or accept 700, or make it a dedicated grid.")
    assert '"kind": "audit"' in large["certificate"]
    assert plan.grids["status"].tolist() == ["below", "above", "legal", "legal"]


def test_a_neighbour_that_makes_it_legal_is_named():
    grids = frame("grid_id", {"01": box(0, 0, 100, 100), "02": box(100, 0, 400, 100), "03": box(400, 0, 800, 100)})
    plan = audit(grids, houses([(50, 50), (150, 40), (500, 40)], [160, 310, 160]))
    first, second = plan.findings.to_dict("records")
    assert first["cure"].startswith("Merge it with 02 (together 470)")
    assert "erge" not in second["cure"], "01 would fit, but lies in another community"


def test_a_tower_can_only_be_split():
    grids = frame("grid_id", {"01": box(0, 0, 400, 100), "02": box(400, 0, 800, 100)})
    plan = audit(grids, houses([(50, 50), (450, 50)], [812, 400]))
    assert plan.findings["cure"].tolist() == [
        "Split building b0 by unit (split_large=True); or accept 812, or make it a dedicated grid."
    ]


def test_an_overlap_is_found_and_counted_once():
    grids = frame("grid_id", {"02": box(180, 0, 400, 100), "01": box(0, 0, 200, 100), "03": box(400, 0, 800, 100)})
    buildings = houses([(50, 50), (190, 50), (195, 50), (300, 50), (500, 50)], [300, 40, 2, 350, 400])
    plan = audit(grids, buildings)
    assert rules(plan) == ["overlap"]
    found = plan.findings.iloc[0]
    assert found["ids"] == ["01", "02"]
    assert "overlap by 2,000 m²; 2 buildings with 42 households" in found["message"]
    assert found["geometry"].equals(at(box(180, 0, 200, 100)))
    assert plan.assignment["grid_id"].tolist() == ["01", "01", "01", "02", "03"]
    assert plan.grids["households"].sum() == 1092


def test_a_building_in_an_overlap_goes_to_a_grid_of_its_own_community_first():
    grids = frame("grid_id", {"01": box(0, 0, 450, 100), "02": box(400, 0, 800, 100)}, community_id=["A", "B"])
    plan = audit(grids, houses([(50, 50), (425, 50)], [400, 400]))
    assert plan.assignment["grid_id"].tolist() == ["01", "02"]
    assert rules(plan) == ["overlap", "outside_community"]


def test_a_gap_keeps_its_households_out_of_every_grid():
    grids = frame("grid_id", {"01": box(0, 0, 300, 100), "02": box(400, 0, 800, 100)})
    plan = audit(grids, houses([(50, 50), (350, 50), (360, 50), (450, 50)], [400, 30, 11, 400]))
    assert rules(plan) == ["gap"]
    found = plan.findings.iloc[0]
    assert found["severity"] == "error"
    assert found["ids"] == ["A", "b1", "b2"]
    assert found["message"] == (
        "Community A: 10,000 m² in 1 place lies in no grid; 2 buildings with 41 households there."
    )
    assert plan.assignment["grid_id"].tolist() == ["01", None, None, "02"]
    values = plan.audit().set_index("measure")["value"]
    assert values["households"] == 800
    assert values["households_in_no_grid"] == 41
    assert values["households_lost"] == 0
    assert values["gap_share"] == pytest.approx(0.125)


def test_a_grid_across_a_community_border():
    grids = frame("grid_id", {"01": box(0, 0, 450, 100), "02": box(450, 0, 800, 100)})
    plan = audit(grids, houses([(50, 50), (425, 50), (500, 50)], [400, 20, 400]))
    assert plan.grids["community_id"].tolist() == ["A", "B"]
    assert rules(plan) == ["outside_community"]
    found = plan.findings.iloc[0]
    assert found["status"] == "part"
    assert found["message"] == (
        "Grid 01 lies with 5,000 m² outside its community A; buildings of its that belong elsewhere: 1."
    )
    assert plan.assignment["grid_id"].tolist() == ["01", "01", "02"]


def test_grids_without_a_community():
    grids = frame(
        "grid_id", {"01": box(0, 0, 400, 100), "02": box(400, 0, 800, 100), "03": box(900, 0, 950, 50)},
        community_id=["A", "Z", None],
    )  # fmt: skip
    plan = audit(grids, houses([(50, 50), (450, 50), (910, 10)], [400, 400, 400]))
    assert plan.grids["community_id"].tolist() == ["A", "B", None]
    assert rules(plan) == ["community_id", "outside_community", "building_outside_communities"]
    assert plan.findings["ids"].tolist() == [["02"], ["03"], ["b2"]]
    assert "1 building with 400 households lies outside" in plan.findings["message"].iloc[2]
    assert plan.grids["households"].sum() == 1200
    assert len(plan.audit()) > 0


def test_a_grid_in_pieces():
    two = MultiPolygon([box(0, 0, 100, 100), box(200, 0, 300, 100)])
    grids = frame(
        "grid_id", {"01": two, "02": box(100, 0, 200, 100), "03": box(300, 0, 400, 100), "04": box(400, 0, 800, 100)}
    )
    plan = audit(grids, houses([(50, 50), (150, 50), (350, 50), (450, 50)], 400))
    assert rules(plan) == ["extra_pieces"]
    assert plan.findings["message"].iloc[0] == "Grid 01 is in 2 pieces, 1 more than its community forces."


def test_pieces_of_a_community_force_pieces_of_a_grid():
    town = frame(
        "community_id", {"A": MultiPolygon([box(0, 0, 100, 100), box(200, 0, 300, 100)])}, code=["440103001001"]
    )
    grids = frame("grid_id", {"01": town.geometry.iloc[0]})
    grids = grids.set_geometry(town.geometry.array)
    plan = audit(grids, houses([(50, 50)], 400), communities=town)
    assert rules(plan) == []


def test_a_polygon_that_crosses_itself_is_mended_and_told():
    bow = Polygon([(0, 0), (400, 100), (400, 0), (0, 100)])
    grids = frame("grid_id", {"01": bow, "02": box(400, 0, 800, 100)})
    plan = audit(grids, houses([(10, 50), (390, 50), (450, 50)], [200, 200, 400]))
    assert rules(plan)[0] == "geometry"
    assert set(rules(plan)) == {"geometry", "gap", "extra_pieces"}
    assert plan.grids["households"].tolist() == [400, 400]


def test_compounds_and_footprints_that_borders_cut():
    grids = frame("grid_id", {"01": box(0, 0, 200, 100), "02": box(200, 0, 400, 100), "03": box(400, 0, 800, 100)})
    shapes = {
        "cut": box(190, 10, 215, 30),
        "touching": box(200, 40, 220, 60),
        "inner": box(210, 70, 220, 80),
        "both": box(390, 0, 410, 9),
    }
    buildings = frame("building_id", shapes, households=[300.0, 0, 400, 400])
    compounds = frame(
        "compound_id",
        {"split": box(150, 0, 250, 90), "wavers": box(199.5, 0, 210, 100), "border": box(300, 0, 500, 100)},
    )
    plan = audit(grids, buildings, compounds=compounds)
    found = plan.findings.set_index("rule")
    assert found.loc["footprint_cut", "ids"] == ["cut"], "a footprint on a community border is not cut"
    assert found.loc["compound_split", "ids"] == ["split", "01", "02"], "nor is a compound, nor one that wavers"
    assert plan.assignment.set_index("building_id")["grid_id"].to_dict() == {
        "cut": "02", "touching": "02", "inner": "02", "both": "02",
    }  # fmt: skip


def test_dedicated_and_empty_grids_do_not_count():
    grids = frame("grid_id", {"01": box(0, 0, 400, 100), "02": box(400, 0, 800, 100)}, kind=["dedicated", "whatever"])
    plan = audit(grids, houses([(50, 50)], [4000]))
    assert plan.grids["status"].tolist() == ["dedicated", "empty"]
    assert plan.grids["kind"].tolist() == ["dedicated", "basic"]
    assert rules(plan) == []
    assert np.isnan(plan.audit().set_index("measure")["value"]["in_band_share"])


def test_a_grid_without_households_in_a_community_with_some_is_below():
    grids = frame("grid_id", {"01": box(0, 0, 200, 100), "02": box(200, 0, 400, 100), "03": box(400, 0, 800, 100)})
    plan = audit(grids, houses([(50, 50), (450, 50)], [400, 400]))
    assert plan.findings["message"].tolist() == ["Grid 02 holds 0 households, 300 below 300."]


def test_responsibility_areas_lie_below_the_grids():
    edges = {"01": (0, 400), "01-1": (0, 200), "01-2": (200, 400), "02": (400, 800)}
    grids = frame(
        "grid_id",
        {name: box(a, 0, b, 100) for name, (a, b) in edges.items()},
        kind=["basic", "responsibility", "responsibility", "basic"],
    )
    plan = audit(grids, houses([(50, 50), (250, 50), (450, 50)], [200, 200, 400]))
    assert plan.grids["grid_id"].tolist() == ["01", "02"]
    assert plan.assignment["area_id"].tolist() == ["01-1", "01-2", None]
    assert rules(plan) == []


def test_results_come_back_in_the_crs_of_the_communities():
    grids = frame("grid_id", {"01": box(0, 0, 350, 100), "02": box(400, 0, 800, 100)}).to_crs(4490)
    plan = audit(grids, houses([(50, 50), (450, 50)], 400).to_crs(4326), communities=TOWN.to_crs(4326))
    assert {t.crs.to_epsg() for t in (plan.grids, plan.findings, plan.buildings)} == {4326}
    assert plan.grids["area_m2"].tolist() == pytest.approx([35_000, 40_000], rel=2e-3)
    gap = plan.findings.set_index("rule").geometry["gap"]
    assert gpd.GeoSeries([gap], crs=4326).to_crs(CRS).iloc[0].area == pytest.approx(5_000, rel=1e-3)


def test_what_leaves_nothing_to_audit_is_refused():
    good = frame("grid_id", {"01": box(0, 0, 400, 100)})
    people = houses([(50, 50)], 400)
    with pytest.raises(TableError, match="households"):
        audit(good, people.drop(columns="households"))
    with pytest.raises(TableError, match="id that no other row has"):
        audit(pd.concat([good, good], ignore_index=True), people)
    with pytest.raises(TableError, match="no CRS"):
        audit(good.set_crs(None, allow_override=True), people)
    with pytest.raises(OptionError, match="no band"):
        audit(good, people, lower=500, upper=300)
    with pytest.raises(OptionError, match="1 buildings, first b0"):
        audit(good, people, weight=pd.Series([1.0], index=["other"]))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_every_household_is_in_one_grid_or_counted_in_none(data):
    number = st.integers(0, 16)
    drawn = data.draw(st.lists(st.tuples(number, number, st.integers(1, 9), st.integers(1, 4)), min_size=1, max_size=6))
    places = data.draw(st.lists(st.tuples(number, number, st.sampled_from([0, 40, 310, 640])), min_size=1, max_size=15))
    shapes = {f"g{i}": box(x * 50, y * 10, (x + w) * 50, (y + h) * 10) for i, (x, y, w, h) in enumerate(drawn)}
    grids = frame("grid_id", shapes)
    # off the drawn lines by less than a step, so that no point lies on two grids' common border
    buildings = houses([(x * 50 + 25, y * 10 + 5) for x, y, _ in places], [h for *_, h in places])
    plan = audit(grids, buildings)
    assert plan.assignment["households"].sum() == sum(h for *_, h in places)
    assert plan.assignment["building_id"].is_unique

    owner = dict(zip(plan.grids["grid_id"], plan.grids["community_id"], strict=True))
    expected = {}
    for i, (x, y, _) in enumerate(places):
        point = Point(x * 50 + 25, y * 10 + 5)
        home = "A" if x < 8 and y < 10 else "B" if x < 16 and y < 10 else None
        holders = [g for g, s in shapes.items() if s.contains(point)]
        expected[f"b{i}"] = min(holders, key=lambda g: (owner[g] != home, g)) if holders else None
    got = dict(zip(plan.assignment["building_id"], plan.assignment["grid_id"], strict=True))
    assert got == expected

    totals = plan.grids.set_index("grid_id")["households"].to_dict()
    for g in shapes:
        assert totals[g] == sum(h for i, (*_, h) in enumerate(places) if expected[f"b{i}"] == g)
    values = plan.audit().set_index("measure")["value"]
    assert values["households"] + values["households_in_no_grid"] == sum(h for *_, h in places)
    assert values["households_lost"] == 0
    told = {
        i
        for ids in plan.findings.loc[plan.findings["rule"].isin(["gap", "building_outside_communities"]), "ids"]
        for i in ids
    }
    assert {b for b, g in expected.items() if g is None} <= told


def test_390_grids_of_a_real_city(data_dir):
    """Voronoi cells for grids: thousands of faults, none refused, no household lost."""
    import shapely

    folder = data_dir / "las_palmas"
    communities = gpd.read_file(folder / "communities_4000.gpkg")
    compounds = gpd.read_file(folder / "compounds.gpkg")
    rng = np.random.default_rng(0)
    land = communities.geometry.to_numpy()
    xy = rng.uniform(*np.reshape(communities.total_bounds, (2, 2)), size=(20_000, 2))
    seeds = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=communities.crs)
    seeds = seeds.sjoin(communities[["community_id", "geometry"]]).iloc[:390]
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds.geometry.to_numpy()), ordered=True))
    place = communities.set_index("community_id").index.get_indexer(seeds["community_id"])
    shapes = shapely.intersection(cells, land[place])
    grids = gpd.GeoDataFrame(
        {"grid_id": [f"{i:03d}" for i in range(len(shapes))]}, geometry=shapes, crs=communities.crs
    )
    places = gpd.points_from_xy(*rng.uniform(*np.reshape(communities.total_bounds, (2, 2)), size=(20_000, 2)).T)
    buildings = gpd.GeoDataFrame(
        {"building_id": np.arange(20_000).astype(str), "households": rng.integers(0, 13, 20_000)},
        geometry=places, crs=communities.crs,
    )  # fmt: skip
    plan = GridPlan.from_grids(grids, communities, buildings, compounds=compounds)
    assert len(plan.grids) == 390
    assert plan.assignment["households"].sum() == buildings["households"].sum()
    values = plan.audit().set_index("measure")["value"]
    assert values["households"] + values["households_in_no_grid"] == buildings["households"].sum()
    assert values["overlap_share"] < 1e-9
    assert values["buildings_outside_grid"] == 0
    assert {"gap", "household_band", "compound_split"} <= set(rules(plan))

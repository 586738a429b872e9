"""What all tests share: where the real data lies, a browser without a network, and no silent skips in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")


def absent(what: str, remedy: str) -> NoReturn:
    """End the test because something outside the project is absent: a skip on a desk, a failure in CI."""
    reason = f"{what} is absent: {remedy}"
    if IN_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skip is a failure: what CI skips, nobody has tested."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {item.nodeid}: {call.excinfo.value}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """In CI a file that skips itself as a whole is a failure too."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {collector.nodeid}: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items):
    """GRIDMAP_FUZZ=10 gives every property test ten times its examples, and new ones in each run."""
    times = int(os.environ.get("GRIDMAP_FUZZ") or 1)
    if times == 1:
        return
    from hypothesis import settings

    multiplied = set()
    for item in items:
        # `settings` as a decorator refuses a test that has settings of its own, hence the attribute behind it
        test = getattr(item, "obj", None)
        test = getattr(test, "__func__", test)
        own = getattr(test, "_hypothesis_internal_use_settings", None)
        # a test with parameters is one function in many items
        if own is not None and id(test) not in multiplied:
            multiplied.add(id(test))
            more = settings(own, max_examples=times * own.max_examples, derandomize=False)
            test._hypothesis_internal_use_settings = more


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real cities (see its README): GRIDMAP_DATA, else ../shared/data beside the repository."""
    path = Path(os.environ.get("GRIDMAP_DATA") or REPOSITORY.parent / "shared" / "data")
    if not (path / "las_palmas").is_dir():
        absent(f"the folder of real data ({path.name})", "set GRIDMAP_DATA to it")
    return path


@pytest.fixture(scope="session")
def sample_dir() -> Path:
    """The synthetic town of the repository."""
    return REPOSITORY / "sample_data"


@pytest.fixture(scope="session")
def chromium() -> tuple[str, str]:
    """Paths of Chromium (or Chrome) and of its driver."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        absent("Chromium or its driver", "install the packages chromium and chromium-driver")
    return browser, driver


@pytest.fixture
def browser(chromium, tmp_path):
    """A headless browser, 1280 x 800, that can open files and reaches no network; its log holds every request.

    `browser.get_log("browser")` lists what the page wrote to the console, errors included;
    `browser.get_log("performance")` lists the requests it made.
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium[0]
    for flag in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-dev-shm-usage",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost",
        "window-size=1280,800",
        f"user-data-dir={tmp_path / 'browser'}",
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=chromium[1]))
    yield driver
    driver.quit()

"""Page: a folium map whose page holds its own code, styles, images and data, and refuses what it would have to load."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from html import escape
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import folium
from branca.element import CssLink, Element, Figure, JavascriptLink
from folium.template import Template

from gridmap.errors import OptionError
from gridmap.io.write.whole import writing
from gridmap.maps.encode import squeeze

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ExploreMap", "json_for_page"]

#: Scripts and styles of this package, in the order in which they need one another.
_SCRIPTS = (
    "inflate", "decode", "format", "symbols", "canvas", "read", "parts", "shell", "controls", "layers", "legend",
    "details", "search", "routes", "served", "measure", "print", "open",
)  # fmt: skip
_STYLES = ("page",)
# What a page needs besides when grids can be negotiated on it.
_EDIT_SCRIPTS = ("edit_land", "edit_rules", "edit_state", "edit_split", "edit_panel", "edit")
_EDIT_STYLES = ("edit",)
# And when two states lie side by side.
_SWIPE_SCRIPTS = ("gains", "swipe")
_SWIPE_STYLES = ("swipe",)
# And those that come with a part of the payload of that name.
_PARTS = ("sites", "compliance")
_LEAFLET = "static/js_lib_leaflet"
_LEAFLET_PACKAGE = "django-js-lib-leaflet"
# What the browser itself is told to refuse, so that not even a mistake of ours can load something.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "media-src data:; form-action 'none'; base-uri 'none'"
)
# An address in the code of a child that a browser would load by itself; links that a person clicks are no concern.
_LOADED = re.compile(
    r"""(?:https?:)?//[^\s"'<>\\)]*?(?:\{[xyzs]\}[^\s"'<>\\)]*|\.(?:m?js|css|png|jpe?g|gif|svg|webp|json|geojson|woff2?|mp4|webm)\b)""",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\bsrc\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE
)
_SHEET = re.compile(r"""<link\b[^>]*?\bhref\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_URL = re.compile(r"""url\(\s*["']?([^"')]+)["']?\s*\)""")
_REMEDY = (
    "name the installed file to put in its place, explore(..., assets={address: path}), "
    "or allow the page to use the network, explore(..., online=True)"
)


class _Verbatim(Element):  # type: ignore[misc]
    """Text that is put into the page as it is: branca would read it as a template, and names may hold braces."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **_: Any) -> str:
        return self.text


class _Sheet(Figure):  # type: ignore[misc]
    """The HTML document around the map, in its language."""

    _template = Template(
        '<!DOCTYPE html>\n<html lang="{{ this.lang }}">\n<head>\n{{ this.header.render(**kwargs) }}\n</head>\n'
        "<body>\n{{ this.html.render(**kwargs) }}\n<script>\n{{ this.script.render(**kwargs) }}\n</script>\n"
        "</body>\n</html>\n"
    )

    def __init__(self, lang: str) -> None:
        super().__init__(height="640px")
        self.lang = "zh-CN" if lang == "zh" else "en"


class ExploreMap(folium.Map):  # type: ignore[misc]
    """A `folium.Map` that shows a payload and needs no network.

    Children may be added as to any folium map. What they would load from elsewhere is put into the page from
    `assets`, or refused when the page is rendered.

    Parameters
    ----------
    payload
        What the page shows; see `gridmap.maps.payload`.
    basemap
        None, or what `folium.TileLayer` takes as tiles, or a layer made by it. It is loaded from the network.
    online
        Whether children may load what they need from the network.
    assets
        Address of a script or style sheet that a child asks for, and the file that holds it.
    """

    default_js: list[tuple[str, str]] = []  # noqa: RUF012
    default_css: list[tuple[str, str]] = []  # noqa: RUF012

    def __init__(
        self,
        payload: Mapping[str, Any],
        *,
        basemap: Any = None,
        online: bool = False,
        assets: Mapping[str, str | os.PathLike[str]] | None = None,
    ) -> None:
        west, south, east, north = payload["bounds"]
        super().__init__(location=[(south + north) / 2, (west + east) / 2], zoom_start=13, tiles=None)
        self.payload, self.online, self.basemap = dict(payload), online, basemap
        self.assets = {str(address): Path(path) for address, path in (assets or {}).items()}
        self._data = json_for_page(squeeze(self.payload))
        # same input, same page: folium names things at random
        self._id = hashlib.sha256(self._data.encode("utf-8", "replace")).hexdigest()[:16]
        if online:
            self.default_js = [pair for pair in folium.Map.default_js if "leaflet.js" not in pair[1]]
            self.default_css = [pair for pair in folium.Map.default_css if "leaflet.css" not in pair[1]]
        _Sheet(str(payload["lang"])).add_child(self)
        if basemap is not None:
            layer = basemap if isinstance(basemap, folium.TileLayer) else _tiles(basemap)
            layer.show = True
            layer._id = hashlib.sha256(str(layer.tiles).encode()).hexdigest()[:16]  # noqa: SLF001
            self.add_child(layer, name="gridmap_basemap")

    def render(self, **kwargs: Any) -> None:
        """Put the page together; see `save`."""
        figure = self.get_root()
        figure.header.add_child(_Verbatim(self._head()), name="gridmap_head")
        if self.online:
            super(folium.Map, self).render(**kwargs)
        else:
            for child in list(self._children.values()):
                child.render(**kwargs)
        figure.html.add_child(_Verbatim(self._body()), name="gridmap_body")
        figure.script.add_child(_Verbatim(self._opening()), name="gridmap_open", index=0)
        self._settle_assets(figure)

    def save(self, outfile: str | bytes | os.PathLike[str] | BinaryIO, close_file: bool = True, **kwargs: Any) -> None:
        """Write the page: complete, or not at all.

        Raises
        ------
        OptionError
            When something added to the map would be loaded from elsewhere; the message names it and the remedy.
        WriteError
            When the file cannot be written; a former file of that name is then untouched.
        """
        html = self.get_root().render(**kwargs).encode("utf-8", "replace")
        if not isinstance(outfile, str | bytes | os.PathLike):
            outfile.write(html)
            if close_file:
                outfile.close()
            return
        with writing(Path(os.fsdecode(outfile))) as temporary:
            temporary.write_bytes(html)

    def _head(self) -> str:
        policy = "" if self.online or self.basemap is not None else _policy_tag()
        title = escape(str(self.payload["title"]))
        edit, swipe = "edit" in self.payload, "before" in self.payload
        parts = [name for name in _PARTS if name in self.payload]
        names = (*_SCRIPTS, *(_EDIT_SCRIPTS if edit else ()), *(_SWIPE_SCRIPTS if swipe else ()), *parts)
        styles = (*_STYLES, *(_EDIT_STYLES if edit else ()), *(_SWIPE_STYLES if swipe else ()))
        scripts = "\n".join(_script(_asset(f"{name}.js")) for name in names)
        return (
            f'{policy}<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<link rel="icon" href="data:,">\n<title>{title}</title>\n'
            f"<!--\n{_leaflet_licence()}\n-->\n<style>\n{_leaflet_css()}\n</style>\n"
            + "".join(f"<style>\n{_asset(f'{name}.css')}\n</style>\n" for name in styles)
            + f"{_script(_leaflet_js())}\n{scripts}\n"
        )

    def _body(self) -> str:
        note = escape(self.payload["words"]["note.no_script"])
        return (
            f'<noscript>{note}</noscript>\n<div id="gm-app">'
            f'<div class="folium-map" id="{self.get_name()}"></div></div>\n'
            f'<script type="application/json" id="gm-data">{self._data}</script>'
        )

    def _opening(self) -> str:
        name = self.get_name()
        front = "".join(
            f'{name}.on("overlayadd", function () {{ {x.get_name()}.bringToFront(); }});\n'
            for x in self.objects_to_stay_in_front
        )
        return f'var {name} = gridmap.open("{name}");\n{front}'

    def _settle_assets(self, figure: Figure) -> None:
        """Put named files in place of links; refuse what is left, unless the page may use the network."""
        for name, child in list(figure.header._children.items()):  # noqa: SLF001
            if isinstance(child, JavascriptLink | CssLink) and child.url in self.assets:
                text = _read_asset(self.assets[child.url])
                inlined = (
                    _script(text)
                    if isinstance(child, JavascriptLink)
                    else f"<style>\n{_safe_css(text, self.assets[child.url])}\n</style>"
                )
                figure.header._children[name] = _Verbatim(inlined)  # noqa: SLF001
        if self.online:
            return
        allowed = set() if self.basemap is None else {self._children["gridmap_basemap"].get_name()}
        remote = []
        for part in (figure.header, figure.html, figure.script):
            for name, child in part._children.items():  # noqa: SLF001
                if not isinstance(child, _Verbatim) and name not in allowed:
                    remote += [f"{address} (of {name})" for address in _addresses(child)]
        if remote:
            raise OptionError(
                "the page would load from elsewhere, and the map must open without a network: "
                + ", ".join(dict.fromkeys(remote))
                + f"; {_REMEDY}"
            )


def json_for_page(value: Any) -> str:
    """A value as JSON that no name in it can break out of, whatever it holds."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, code in (("<", "003c"), (">", "003e"), ("&", "0026"), ("\u2028", "2028"), ("\u2029", "2029")):
        text = text.replace(character, f"\\u{code}")
    return text


def _addresses(child: Element) -> list[str]:
    """Addresses that a browser would load because of this element of the page."""
    if isinstance(child, JavascriptLink | CssLink):
        return [child.url]
    text = child.render()
    found = [a for pattern in (_SOURCE, _SHEET) for a in pattern.findall(text) if not a.startswith(("data:", "#"))]
    found += _LOADED.findall(text)
    if "L.AwesomeMarkers" in text:
        found.append("Leaflet.awesome-markers, needed by folium.Icon (use folium.CircleMarker or folium.DivIcon)")
    return list(dict.fromkeys(found))


def _tiles(basemap: Any) -> folium.TileLayer:
    if isinstance(basemap, str) and "{z}" in basemap:
        host = re.sub(r"^(?:https?:)?//(?:\{s\}\.)?([^/]+).*$", r"\1", basemap)
        return folium.TileLayer(basemap, attr=escape(host), control=False)
    try:
        return folium.TileLayer(basemap, control=False)
    except (TypeError, ValueError, AttributeError) as error:
        raise OptionError(
            f"basemap={basemap!r} is no base map; give a tile address with {{z}}, {{x}} and {{y}}, "
            "a name such as 'OpenStreetMap', or a folium.TileLayer"
        ) from error


def _policy_tag() -> str:
    return f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'


def _script(text: str) -> str:
    safe = text.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    return f"<script>\n{safe}\n</script>"


def _asset(name: str) -> str:
    return resources.files("gridmap.maps").joinpath("assets", name).read_text("utf-8")


def _leaflet(name: str) -> bytes:
    return resources.files("js_lib_leaflet").joinpath(f"{_LEAFLET}/{name}").read_bytes()


def _leaflet_js() -> str:
    # a browser's tools would look for the source map
    code = re.sub(r"//# sourceMappingURL=.*", "", _leaflet("leaflet.js").decode("utf-8"))
    images = {
        option: _data_address(_leaflet(f"images/{file}"), "image/png")
        for option, file in (
            ("iconUrl", "marker-icon.png"),
            ("iconRetinaUrl", "marker-icon-2x.png"),
            ("shadowUrl", "marker-shadow.png"),
        )
    }
    return f"{code}\nL.Icon.Default.imagePath = '';\nL.Icon.Default.mergeOptions({json.dumps(images)});"


def _leaflet_css() -> str:
    def inline(match: re.Match[str]) -> str:
        address = match.group(1)
        if not address.startswith("images/"):
            return match.group(0)
        return f"url({_data_address(_leaflet(address), 'image/png')})"

    return _URL.sub(inline, _leaflet("leaflet.css").decode("utf-8"))


def _leaflet_licence() -> str:
    """Leaflet's licence, which asks to go where the code goes."""
    try:
        files = metadata.files(_LEAFLET_PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    text = next((f.read_text() for f in files if f.name == "LICENSE"), "BSD 2-Clause")
    return "Leaflet, https://leafletjs.com\n" + text.strip().replace("--", "- -")


def _read_asset(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(
            f"assets: {path} cannot be read: {error}; give the path of an installed script or style sheet"
        ) from error


def _safe_css(text: str, path: Path) -> str:
    """A style sheet with the images and fonts beside it inside it."""
    types = {
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".gif": "image/gif",
        ".jpg": "image/jpeg",
        ".woff2": "font/woff2",
        ".woff": "font/woff",
    }

    def inline(match: re.Match[str]) -> str:
        address = match.group(1)
        if address.startswith(("data:", "#")):
            return match.group(0)
        file = path.parent / re.split(r"[?#]", address)[0]
        if not file.is_file():
            raise OptionError(f"assets: {path.name} asks for {address}, which is not beside it; {_REMEDY}")
        return f"url({_data_address(file.read_bytes(), types.get(file.suffix, 'application/octet-stream'))})"

    return _URL.sub(inline, text).replace("</style", "<\\/style")


def _data_address(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"

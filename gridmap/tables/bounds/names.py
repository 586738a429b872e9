"""Street names as people write them: which of the names in a table is meant, and how sure that is."""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Match", "fold", "match_names", "simplified"]

# What a kind of agreement is worth. One name may be spelt in two ways (1); a section of a street stands for the street
# (0.97); the word for "street" is often misremembered (0.9); 学院南路 beside 学院路 is mostly another street (0.75).
_SAME, _SECTION, _KIND, _DIRECTION = 1.0, 0.97, 0.9, 0.75
# A name that only looks alike is worth this times the share of its letters that agree. Below the floor (four letters of
# five) agreement is chance: two characters of three agree in most pairs of Chinese street names.
_ALIKE = 0.88
_FLOOR = 0.7
_SHOWN = 5

# Traditional characters of street names beside their simplified forms (Unihan, kSimplifiedVariant).
_TRADITIONAL = (
    "東东 號号 門门 橋桥 車车 馬马 場场 廣广 長长 華华 學学 園园 國国 區区 縣县 鄉乡 鎮镇 島岛 灣湾 溝沟 澗涧 漢汉 "
    "黃黄 龍龙 鳳凤 鶴鹤 雞鸡 魚鱼 鳥鸟 寶宝 銀银 鐵铁 銅铜 錦锦 鋼钢 陽阳 陰阴 雲云 電电 霧雾 豐丰 興兴 業业 農农 "
    "貿贸 紡纺 織织 綠绿 紅红 經经 緯纬 級级 繡绣 維维 總总 線线 蘇苏 藍蓝 蘭兰 葉叶 萬万 億亿 雙双 親亲 觀观 環环 "
    "聖圣 聯联 關关 開开 閘闸 閣阁 隊队 際际 險险 頭头 順顺 領领 顧顾 飛飞 館馆 體体 麗丽 麥麦 齊齐 龜龟 壩坝 壯壮 "
    "壽寿 夢梦 奧奥 實实 寧宁 導导 岡冈 嶺岭 巖岩 幹干 廟庙 廠厂 張张 強强 彈弹 復复 徑径 愛爱 慶庆 應应 懷怀 戰战 "
    "戲戏 擁拥 揚扬 據据 數数 斷断 時时 曉晓 曆历 書书 會会 楊杨 榮荣 樂乐 樓楼 樹树 機机 檢检 權权 歲岁 歷历 歸归 "
    "氣气 決决 沖冲 況况 淺浅 淵渊 減减 測测 湯汤 準准 溫温 滄沧 滬沪 漁渔 潔洁 濟济 濱滨 濕湿 瀘泸 瀏浏 無无 煙烟 "
    "營营 爐炉 爾尔 獅狮 獎奖 瑤瑶 產产 畫画 異异 療疗 發发 監监 盤盘 盧卢 眾众 礦矿 禮礼 種种 積积 穀谷 窯窑 筆笔 "
    "節节 範范 築筑 糧粮 純纯 細细 終终 給给 統统 絲丝 續续 網网 緣缘 練练 縱纵 義义 習习 翹翘 聞闻 職职 腳脚 臨临 "
    "與与 舉举 舊旧 莊庄 莖茎 蓮莲 蔣蒋 薊蓟 藝艺 藥药 蘆芦 處处 術术 衛卫 衝冲 複复 規规 視视 計计 訓训 訪访 設设 "
    "許许 試试 話话 詩诗 誠诚 語语 調调 談谈 論论 諧谐 謝谢 證证 議议 護护 讀读 豬猪 財财 貨货 貫贯 貴贵 費费 賀贺 "
    "資资 賓宾 賢贤 賽赛 質质 趙赵 趕赶 跡迹 軍军 軌轨 軟软 軸轴 輔辅 輕轻 輝辉 輪轮 輸输 轉转 這这 連连 進进 遊游 "
    "運运 過过 達达 違违 遠远 適适 遷迁 選选 遼辽 邊边 郵邮 鄭郑 鄧邓 醫医 釣钓 鈴铃 錢钱 鋒锋 鋪铺 錫锡 鍋锅 鎖锁 "
    "鏡镜 鐘钟 間间 閩闽 闊阔 陝陕 陳陈 陸陆 隨随 雜杂 離离 難难 靜静 響响 頂顶 項项 須须 頤颐 頻频 題题 顏颜 願愿 "
    "類类 風风 養养 餘余 駐驻 駝驼 駕驾 騰腾 驛驿 驗验 鬧闹 鮮鲜 鯉鲤 鴻鸿 鵬鹏 鷹鹰 鹽盐 點点 龐庞 兩两 內内 劉刘 "
    "創创 動动 務务 勝胜 勞劳 協协 單单 衆众 參参 員员 問问 啟启 喬乔 嚴严 圍围 團团 圖图 堅坚 塊块 塵尘 墻墙 牆墙 "
    "墳坟 備备 傑杰 傳传 倉仓 們们 倫伦 偉伟 側侧 個个 後后 從从 裡里 裏里 臺台 檯台 來来 韓韩 韋韦 鄰邻 潛潜 澤泽 "
    "濤涛 濰潍 灘滩 灤滦 渾浑 洩泄 淨净 滿满 漵溆 瀋沈 瓊琼 專专 將将 尋寻 對对 層层 屬属 貝贝 負负 買买 賣卖 遲迟 "
    "鑽钻 鑄铸 針针 釋释 縫缝 絨绒 紙纸 紀纪 約约 紹绍 組组 結结 絕绝 綜综 鞏巩 韌韧 頌颂 頓顿 穎颖 禎祯 禦御 稅税 "
    "穩稳 窮穷 競竞 筍笋 簡简 籃篮 籬篱 糞粪"
)
_TO_SIMPLIFIED = {ord(pair[0]): pair[1] for pair in _TRADITIONAL.split()}

# The word for the kind of street, longest first: 大街 before 街.
_KIND_TAIL = re.compile(
    "(?:高速公路|快速路|高架路|步行街|高速|公路|大街|大道|街道|马路|胡同|铁路|河道|路|街|道|巷|弄|里|线|河|渠|江|沟)$"
)
# A section of a street, or one of its carriageways.
_SECTION_TAIL = re.compile(r"(?<=.)(?:[东西南北中上下]段|[东西南北]延(?:长线|线|段)?|辅路|主路|辅道|段)$")
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]|【[^】]*】|〔[^〕]*〕|「|」|『|』|《|》|“|”|\"")
_NUMERALS = str.maketrans("0123456789", "〇一二三四五六七八九")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that say what kind of street it is, or that hold a name together; English, Spanish, Portuguese, French.
_LATIN_KINDS = _words(
    "street road avenue lane boulevard drive highway way close court square place expressway freeway motorway railway "
    "river alley hutong calle avenida paseo carretera camino plaza pasaje travesia callejon autopista autovia "
    "urbanizacion rua travessa alameda praca largo estrada beco rue chemin barranco rio"
)
_SHORT = {
    "st": "street", "rd": "road", "ave": "avenue", "blvd": "boulevard", "dr": "drive", "ln": "lane", "hwy": "highway",
    "c": "calle", "cl": "calle", "avda": "avenida", "avd": "avenida", "av": "avenida", "po": "paseo",
    "ctra": "carretera", "pza": "plaza", "urb": "urbanizacion", "r": "rua", "tv": "travessa", "lu": "road",
    "jie": "street", "dajie": "street", "dadao": "avenue",
}  # fmt: skip
_LATIN_LINKS = _words("de del la las los el da do das dos e y of the des du le les")
_LATIN_SECTIONS = _words("section sec segment inner outer auxiliary side service")
_LATIN_DIRECTIONS = _words("north south east west middle central n s e w norte sur este oeste sul leste")


class Match(NamedTuple):
    """Names of a table that stand for one street: all its spellings and sections, and how well they agree, 0 to 1."""

    names: tuple[str, ...]
    score: float


class _Key(NamedTuple):
    """A name taken apart, from what it says in full to its bare stem."""

    full: str
    street: str
    stem: str
    bare: str


def simplified(text: str) -> str:
    """Text in half-width forms, with the traditional characters of street names simplified.

    Examples
    --------
    >>> simplified("學院路（東段）１２")
    '学院路(东段)12'
    """
    return unicodedata.normalize("NFKC", text).translate(_TO_SIMPLIFIED)


def fold(name: str) -> str:
    """A name without case, accents, blanks at its ends, brackets and what stands in them.

    Examples
    --------
    >>> fold("  Calle  León y Castillo (norte)")
    'calle leon y castillo'
    >>> fold("中關村　北大街")
    '中关村北大街'
    """
    text = _BRACKETS.sub(" ", simplified(name)).casefold()
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = re.sub(r"[\s.,;:'`´’·•\-_/|]+", " ", text).strip()
    return text if text.isascii() else re.sub(r"\s+", "", text)


@cache
def _key(name: str) -> _Key:
    full = fold(name)
    return _latin(full) if full.isascii() else _chinese(full)


def _chinese(full: str) -> _Key:
    street = full.translate(_NUMERALS) if not re.search(r"[a-z]", full) else full
    while (shorter := _SECTION_TAIL.sub("", street)) != street:
        street = shorter
    stem = _KIND_TAIL.sub("", street)
    stem = stem if len(stem) > 1 or stem == street else street
    bare = re.sub(r"(?<=..)[东西南北中前后内外]$", "", stem)
    return _Key(full, street, stem, bare)


def _latin(full: str) -> _Key:
    words = [_SHORT.get(w, w) for w in full.split()]
    street = [w for w in words if w not in _LATIN_SECTIONS and w not in _LATIN_LINKS] or words
    stem = [w for w in street if w not in _LATIN_KINDS] or street
    bare = [w for w in stem if w not in _LATIN_DIRECTIONS] or stem
    return _Key(full, " ".join(street), " ".join(stem), " ".join(bare))


def match_names(wanted: str, names: Iterable[str]) -> tuple[list[Match], list[str]]:
    """What a written name may stand for among the names of a table.

    Spellings are compared in half width, simplified, without case and accents. All sections and carriageways of a
    street (学院路南段, 学院路辅路) are one street. Only where no name says the same do names with another word for
    "street", with a direction more or less, or with a letter wrong come in, each worth less.

    Parameters
    ----------
    wanted
        The name as written.
    names
        The names there are.

    Returns
    -------
    tuple
        Matches, best first, at most five; and the nearest names, whether they are worth taking or not, at most five.

    Examples
    --------
    >>> match_names("學院路南段", ["学院路", "学院南路", "志新路"])
    ([Match(names=('学院路',), score=0.97)], ['学院路'])
    >>> match_names("金银大街", ["金银路", "银金路"])[0]
    [Match(names=('金银路',), score=0.9)]
    >>> match_names("Leon y Castillo st.", ["Calle León y Castillo"])[0]
    [Match(names=('Calle León y Castillo',), score=0.9)]
    """
    key = _key(wanted)
    streets: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        streets.setdefault(_key(name).street, []).append(name)
    if key.street in streets:
        group = streets[key.street]
        return [Match(tuple(group), _worth(key, group))], group[:_SHOWN]
    scored = sorted((-_worth(key, group), street) for street, group in streets.items())[:_SHOWN]
    nearest = [name for _, street in scored for name in streets[street]][:_SHOWN]
    return [Match(tuple(streets[street]), -score) for score, street in scored if -score >= _FLOOR], nearest


def _worth(key: _Key, group: list[str]) -> float:
    return max(_agreement(key, _key(name)) for name in group)


def _agreement(a: _Key, b: _Key) -> float:
    """How well two names agree, 0 to 1."""
    if a.full == b.full:
        return _SAME
    if a.street == b.street:
        return _SECTION
    if a.stem == b.stem:
        return _KIND
    if a.bare == b.bare:
        return _DIRECTION
    ratio = _letters(a.street, b.street)
    return round(_ALIKE * (max(ratio, _letters(a.stem, b.stem)) if a.full.isascii() else ratio), 3)


def _letters(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()

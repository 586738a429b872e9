"""Words of negotiating grids on the page, in both languages; see `gridmap.maps.words`."""

from __future__ import annotations

from gridmap.maps.words import LANGUAGES

__all__ = ["EDIT_WORDS", "edit_words"]

#: key: (English, Chinese). ``{name}`` is filled in.
EDIT_WORDS: dict[str, tuple[str, str]] = {
    "edit.start": ("Negotiate grids", "协商调整网格"),
    "edit.start_n": ("Negotiate grids ({n})", "协商调整网格（{n}）"),
    "edit.finish": ("Done", "完成"),
    "edit.title": ("Negotiating grids", "协商调整网格"),
    "edit.how.1": ("Click a compound, a building or a piece of land.", "点击院落小区、建筑或空地。"),
    "edit.how.2": (
        "Give it to a neighbouring grid; both counts are shown before you do.",
        "划给相邻网格；划转前即显示两个网格的户数。",
    ),
    "edit.how.3": ("Save the edits and send the file to the planner.", "保存调整文件并交给规划人员。"),
    "edit.keys": (
        "Shift-click selects several; Ctrl+Z undoes, Ctrl+Y does again.",
        "按住上档键点击可多选；控制键加字母键“Z”撤销，加“Y”重做。",
    ),
    "edit.keys_map": (
        "On the map the arrow keys move it, Enter selects what is under the cross, Shift+Enter adds it.",
        "键盘操作地图：方向键移动，回车键选择十字处，上档键加回车键添加。",
    ),
    "edit.undo": ("Undo", "撤销"),
    "edit.redo": ("Do again", "重做"),
    "edit.several": ("Select several", "多选"),
    "edit.save": ("Save edits", "保存调整"),
    "edit.open": ("Open edits", "打开调整文件"),
    "edit.clear": ("Clear selection", "取消选择"),
    "edit.overall": ("{part} of {all} grids within their band", "{all} 个网格中 {part} 个符合标准"),
    "edit.off": ("Grids outside the band", "不符合标准的网格"),
    "edit.list": ("Edits made", "已做调整"),
    "edit.none": ("No edits yet.", "尚无调整。"),
    "edit.unsaved": ("not saved yet", "尚未保存"),
    "edit.saved": ("saved", "已保存"),
    "edit.key": ("Colours", "颜色"),
    "edit.note": (
        "Borders are those of the pieces here; the plan draws them straight when the edits are applied.",
        "此处按最小单元显示界线；应用调整后由规划程序取直。",
    ),
    # what is selected
    "edit.building": ("Building", "建筑"),
    "edit.compound": ("Compound", "院落小区"),
    "edit.land": ("Open land", "空地"),
    "edit.pieces": ("{n} pieces", "{n} 个单元"),
    "edit.buildings": ("{n} buildings", "{n} 栋建筑"),
    "edit.in": ("in grid {grid}", "属于网格 {grid}"),
    "edit.in_none": ("in no grid", "未划入网格"),
    "edit.give": ("Give to a neighbouring grid", "划给相邻网格"),
    "edit.give_to": ("Give to {grid}", "划给 {grid}"),
    "edit.not_to": ("Not to {grid}", "不能划给 {grid}"),
    "edit.inside": (
        "It touches no other grid of its community. Select what lies between as well, with Shift-click.",
        "与本社区其他网格不相邻。请同时选择中间的单元（按住上档键点击）。",
    ),
    "edit.change": ("{before} → {after}", "{before} → {after}"),
    "edit.short": ("{n} short of {limit}", "距下限 {limit} 还差 {n}"),
    "edit.over": ("{n} over {limit}", "超出上限 {limit} 共 {n}"),
    "edit.with_rest": (
        "{n} other pieces of the compound are not selected.",
        "该院落小区还有 {n} 个单元未选中。",
    ),
    "edit.take_rest": ("Select the whole compound", "选中整个院落小区"),
    "edit.take_them": ("Select these as well", "一并选中"),
    "edit.alone": ("A grid of its own", "单独成为网格"),
    "edit.alone_do": ("Make it a new grid", "划为新网格"),
    "edit.new_grid": ("new grid", "新网格"),
    # a grid
    "edit.grid": ("Grid {grid}", "网格 {grid}"),
    "edit.merge": ("Merge with a neighbour", "与相邻网格合并"),
    "edit.merge_with": ("Merge with {grid}", "与 {grid} 合并"),
    "edit.merged": ("Together: {n} households", "合并后 {n} 户"),
    "edit.split": ("Split in two", "一分为二"),
    "edit.split_this": ("Split so", "按此分割"),
    "edit.split_next": ("Another proposal", "换一个方案"),
    "edit.split_part": ("Part {n}", "第 {n} 部分"),
    "edit.cancel": ("Cancel", "取消"),
    "edit.stays_dedicated": ("A dedicated grid stays as it is.", "专属网格保持不变。"),
    "edit.stays_locked": ("This grid is locked and stays as it is.", "该网格已锁定，保持不变。"),
    # what is to be kept
    "edit.broken": ("Not kept", "未满足的要求"),
    "edit.breaks": ("No longer kept: {rule}", "不再满足：{rule}"),
    "edit.mends": ("Kept again: {rule}", "恢复满足：{rule}"),
    "edit.rule.together": ("buildings {names} belong in one grid", "建筑 {names} 应在同一网格"),
    "edit.rule.apart": ("buildings {names} must not share a grid", "建筑 {names} 不得在同一网格"),
    "edit.rule.group": ("villager group {names} belongs in one grid", "村民小组 {names} 应在同一网格"),
    "edit.rule.compound": ("compound {names} belongs in one grid", "院落小区 {names} 应在同一网格"),
    "edit.rule.more": ("{names} and {n} more", "{names} 等（另有 {n} 栋）"),
    # what was done
    "edit.did": ("Done", "已调整"),
    "edit.did_move": ("{what} given to {grid}", "{what}划给 {grid}"),
    "edit.did_merge": ("{grids} merged", "{grids} 合并"),
    "edit.did_split": ("{grid} split into {grids}", "{grid} 分为 {grids}"),
    "edit.undone": ("Undone: {what}", "已撤销：{what}"),
    "edit.redone": ("Done again: {what}", "已重做：{what}"),
    "edit.opened": ("{n} edits read from the file.", "已从文件读入 {n} 项调整。"),
    "edit.wrote": ("Saved as {name}.", "已保存为 {name}。"),
    "edit.replace": (
        "The edits made here are not saved. Replace them by those of the file?",
        "此处的调整尚未保存。是否用文件中的调整替换？",
    ),
    "edit.failed": ("Edit {number} of {of} of the file does not fit", "文件第 {number} 项调整（共 {of} 项）不适用"),
    # why not
    "edit.no.there": ("It is in {grid} already.", "已在 {grid} 内。"),
    "edit.no.dedicated": ("{grid} is a dedicated grid and stays as it is.", "{grid} 为专属网格，保持不变。"),
    "edit.no.locked": ("{grid} is locked and stays as it is.", "{grid} 已锁定，保持不变。"),
    "edit.no.community": ("{grid} lies in another community.", "{grid} 属于其他社区。"),
    "edit.no.empties": (
        "It is all that {grid} has. Merge the two grids instead.",
        "这是 {grid} 的全部范围，请改用合并。",
    ),
    "edit.no.torn": (
        "{grid} would fall apart: {n} pieces with {households} households would be cut off (marked on the map).",
        "{grid} 将不再连片：{n} 个单元（{households} 户）会被隔开（见地图标记）。",
    ),
    "edit.no.apart": (
        "It has no border of 3 m or more with {grid}. Select what lies between as well.",
        "与 {grid} 没有 3 米以上的共同边界，请同时选择中间的单元。",
    ),
    "edit.no.merge_community": ("These grids lie in different communities.", "这些网格属于不同社区。"),
    "edit.no.merge_apart": (
        "{grid} has no border of 3 m or more with the others.",
        "{grid} 与其他网格没有 3 米以上的共同边界。",
    ),
    "edit.no.split_all": ("Nothing of {grid} would be left.", "{grid} 将没有剩余部分。"),
    "edit.no.split_torn": (
        "A part would fall apart: {n} pieces with {households} households would be cut off (marked on the map).",
        "分割后不再连片：{n} 个单元（{households} 户）会被隔开（见地图标记）。",
    ),
    "edit.no.split_way": (
        "This grid does not hang together, so there is no proposal: select pieces.",
        "该网格不连片，无法自动分割，请手动选择。",
    ),
    "edit.no.codes": (
        "The file gives parts of {grid} codes that are not the next ones.",
        "文件为 {grid} 各部分指定的编码不是后续编码。",
    ),
    "edit.no.numbers": ("The community has no number left for another grid.", "该社区已无可用的网格编号。"),
    "edit.no.file": ("This is not a file of edits.", "这不是调整文件。"),
    "edit.no.other_plan": (
        "The file was made on another plan ({theirs}); this map shows {ours}.",
        "该文件针对另一方案（{theirs}），本图为 {ours}。",
    ),
    "edit.no.unknown": ("It names a grid or a piece that is not there.", "其中的网格或单元不存在。"),
    "edit.no.number": ("It asks for a split that only the program can make.", "其中的分割只能由程序完成。"),
}  # fmt: skip


def edit_words(lang: str) -> dict[str, str]:
    """The words of negotiating in one language, by key."""
    column = LANGUAGES.index(lang)
    return {key: both[column] for key, both in EDIT_WORDS.items()}

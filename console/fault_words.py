"""What is wrong with a cell of a spreadsheet, in Chinese, and what to do about it. Pure.

The sentences are those of the rooms that read files (checkins/spreadsheet.py, people_csv.py, phones.py, workbook.py,
roster/sheet.py, community/register_people.py). What nobody translated is shown as it is; a test reads their sources.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from checkins import people_csv
from checkins.roster import sheet as roster_sheet

_WORDS: Sequence[tuple[str, str, str]] = (
    # cells
    (r"is empty", "是空的", "请填上，或把这一行删掉"),
    (r"is longer than (\d+) characters", "超过 {0} 个字", "请写短一些"),
    (r"there is no digit in it", "里面没有数字", "请写号码；没有电话就写“无”"),
    (r"is no telephone number", "不是电话号码", "请核对号码；没有电话就写“无”"),
    (r"has too few digits", "位数不够", "请核对号码"),
    (r"has too many digits", "位数太多", "请核对号码，一格只写一个"),
    (r"lacks its area code", "缺区号", "请写全，比如 021-6234 5678"),
    (r"has letters in it: write digits only", "里面有字母", "请只写数字"),
    (r"has an extension; the line can't dial extensions", "带分机，线路不能拨分机", "请写直拨号码"),
    (r"is a premium-rate number; the line doesn't dial those", "是收费声讯号码，线路不拨", "请换一个号码"),
    (r"was rounded by the spreadsheet: .*", "被表格四舍五入了（1.38E+10）", "请把这一列设成“文本”，再输一次号码"),
    (r"must be one of (.+)", "只能写：{0}", "请改成其中一个"),
    (r"must lie between 08:00 and 21:00", "要在 08:00 到 21:00 之间", "请改时间，或空着由系统安排"),
    (r"write a time as 08:30", "时间看不懂", "请写成 08:30"),
    (r"write a time between 00:00 and 23:59", "没有这个时间", "请写 00:00 到 23:59"),
    (r"write a date as 2026-03-02", "日期看不懂", "请写成 2026-03-02"),
    (r"there is no such day", "没有这一天", "请核对日期"),
    (r"is still to come", "还没有到", "请写已经过去的日期"),
    (
        r"has passed: leave it and the state empty, or write a later day",
        "已经过去了",
        "请把它和状态空着，或写以后的日子",
    ),
    (r"a pause, and only a pause, has a last day", "“暂停”要有最后一天，别的状态不能有", "请把状态和“暂停到”写成一致"),
    (r"is no id: .*", "不是登记号", "请从导出的表里抄，或空着"),
    (r"nobody in this neighbourhood has this id", "这个居委没有这个登记号", "请从导出的表里抄，或空着"),
    (r"has lost signs .*", "有字丢了（�）", "存表格时编码不对：请存成 .xlsx 或 CSV UTF-8"),
    (
        r"is merged with the cells down to row (\d+): each row needs its own",
        "和下面到第 {0} 行合并了",
        "请取消合并，每行各填",
    ),
    (r"is merged with (\d+) cells beside it: each column needs its own", "和旁边 {0} 格合并了", "请取消合并，每格各填"),
    (r"holds a formula that failed: .*", "公式出错了", "请直接写上应有的内容"),
    # rows
    (r"the same person as in row (\d+): leave one of them out", "和第 {0} 行是同一个人", "请删掉一行"),
    (r"who is gone is not added: leave the row out", "搬走或去世的人不新增", "请删掉这一行"),
    (
        r"is (\S+) in the register, (\S+) here: a role stays",
        "登记里是{0}，这里写{1}：角色不能这样改",
        "请改成登记里的角色，或空着",
    ),
    (
        r"has more cells than there are headings \(cell (\d+)\): a comma in one\?",
        "比表头多出一格（第 {0} 格）",
        "是不是格子里有逗号？请存成 .xlsx",
    ),
    (r"cell (\d+) stands under no heading", "第 {0} 格上面没有表头", "请补表头，或清空这一格"),
    (
        r"is in the register with another number\. .*",
        "登记里有同名的人，号码不一样",
        "是同一个人就把登记号写上；不是就写清地址",
    ),
    # the roster
    (r"there is nobody like this in the register", "登记里没有这个人", "请先登记，或核对姓名"),
    (r"(\d+) people are called so: .*", "有 {0} 个人叫这个名字", "请写电话号码或登记号"),
    (r"is (\S+) in the register; (.+) is needed here", "登记里的角色是{0}，这里不行", "请换人，或先改登记"),
    (r"has not agreed that (\S+) hears of them: .*", "本人没有同意（{0}）", "请先登记同意"),
    (r"is named twice", "写了两次", "请删掉一个"),
    (r"nobody stands in for themselves", "不能自己替自己", "请换一个人"),
    (r"is no buddy of this elder", "不是这位老人的老伙伴", "请核对“替谁”"),
    (r"only the first 值班 row says when the rotation begins", "只有第一行值班写开始时间", "请清空这一格"),
    (
        r"the first 值班 row needs the first hand-over .*",
        "第一行值班没有写第一次交接的时间",
        "请在“从”里写，比如 2026-03-02 08:30",
    ),
    (r"must be a number of days from 1 to 366", "天数要在 1 到 366 之间", "请改天数"),
    (r"there is one deputy only", "副班只能有一个", "请删掉一行"),
    (r"a shift must rise, and lie between 08:00 and 21:00", "时段要先早后晚，在 08:00 到 21:00 之间", "请改时间"),
    (r"working hours must rise and not overlap", "上班时间要先早后晚，不能重叠", "请改时间"),
    (r"say who answers at this number, .*", "没有写是谁接这个号码", "请写，比如“曹杨新村街道”"),
    (r"write weekday and time: .*", "星期和时间看不懂", "请写成“周二 09:00”"),
    # the file as a whole
    (r"unknown heading '(.*)'", "不认识表头“{0}”", "请改成模板里的表头，或删掉这一列"),
    (r"double heading '(.*)'", "表头“{0}”有两个", "请删掉一列"),
    (r"the heading (\w+) \((.+)\) is missing", "缺表头“{1}”", "请加上这一列"),
    (r"is larger than 20 MB", "文件超过 20 MB", "请拆成几份"),
    (r"has more than ([\d,]+) rows", "超过 {0} 行", "请拆成几份"),
    (
        r"has several sheets \((.*)\): keep one, or call it .*",
        "有几张表（{0}）",
        "请只留一张，或把要导入的叫“人员”或“值班表”",
    ),
    (r"is broken CSV in line (\d+): .*", "CSV 第 {0} 行坏了", "请存成 .xlsx 再试"),
    (r"is an old workbook \(\.xls\), or one with a password: .*", "是老格式 .xls，或有密码", "请去掉密码，存成 .xlsx"),
    (r"is no text file", "不是表格文件", "请用 .xlsx 或 .csv"),
    (r"is neither UTF-8 nor GBK text: .*", "文字编码看不懂", "请存成 .xlsx 或 CSV UTF-8"),
    (r"is a broken workbook \(.*\): .*", "文件坏了，打不开", "请重新存成 .xlsx"),
    (r"unpacks to more than 300 MB: that is no register", "解开后超过 300 MB，不是登记表", "请只留要导入的内容"),
    (r"has a password: take it off first", "有密码", "请先去掉密码"),
    (
        r"sheet (.*): there is something in (.*), too far off; .*",
        "表“{0}”很远的地方（{1}）有内容",
        "请删掉那里的行和列",
    ),
    (r"the register was changed by somebody else .*", "登记正在被别人改，没有写入", "请过一会儿再试"),
    # worth a look
    (
        r"(.*) has the address of (.*), who has another number: .*",
        "{0}的住址，登记里是{1}住着",
        "导入后会有一条待办：问清谁住在那里",
    ),
    (
        r"(.*): (.*) is in the register with the same number, too: .*",
        "{1}的登记里也有{0}，号码相同",
        "搬走了的请在那边登记“搬走”",
    ),
    (
        r"(.*) is in the register with another number\. .*",
        "登记里有同名的{0}，号码不一样",
        "是同一个人就把登记号写上；不是就写清地址",
    ),
    (r"(.*) said so on (\S+)( \(the row has no date\))?", "{0} {1} 说的为准", "要改，请写更晚的日期，或问本人"),
)
_ROLE_ZH: Mapping[str, str] = {"elder": "老人", "buddy": "老伙伴", "staff": "工作人员", "family": "家属"}


def why_zh(text: str) -> tuple[str, str]:
    """What is wrong, and what to do; the sentence itself and "" for one that nobody translated."""
    for pattern, zh, todo in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            return zh.format(*(_ROLE_ZH.get(part or "", part or "") for part in found.groups())), todo
    return text, ""


def column_zh(column: str, sheet: str = "") -> str:
    """Our column as the file's heading says it; a number: the file's own."""
    if column.isdecimal():
        return f"第 {column} 列"
    headings = roster_sheet.HEADINGS if sheet else people_csv.HEADINGS
    names = headings.get(column) or roster_sheet.HEADINGS.get(column) or ()
    return next((name for name in names if not name.isascii()), column)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    return tuple((re.compile(pattern, re.DOTALL), zh, todo) for pattern, zh, todo in _WORDS)

"""The preflight's report in words: Chinese and English, for the terminal, for pages and for programs."""

from __future__ import annotations

from typing import Any, Final

from batches.preflight import FileFacts, Finding, Report

# code: Chinese, English; both take the finding's facts
SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "address": ("网址前缀应为 {expected}：{cell}", "the address should begin with {expected}: {cell}"),
    "blank": ("空行", "blank row"),
    "case": ("网址中有小写字母，二维码会变大：{cell}", "lower-case letters make the symbol larger: {cell}"),
    "columns": ("应有 {expected} 列，实际 {found} 列", "{found} columns instead of {expected}"),
    "duplicate": (
        "重复：此码已见于 {other} 第 {other_row} 行",
        "duplicate: this code stands in {other}, row {other_row}",
    ),
    "empty": ("文件没有内容", "the file is empty"),
    "encoding": ("编码不明或不一致（{found}）", "unknown or inconsistent encoding ({found})"),
    "foreign": ("不属于此处的批次 {batch}：{cell}", "belongs to batch {batch}, which is not expected here: {cell}"),
    "forged": ("验签不符：{cell}", "does not verify: {cell}"),
    "malformed": ("不是码：{cell}", "not a code: {cell}"),
    "missing": ("缺少 {count} 个 {kind} 码，序号 {gaps}", "{count} {kind} codes are missing, serials {gaps}"),
    "mixed": ("一个文件中有多个批次：{batches}", "several batches in one file: {batches}"),
    "newline": ("换行符不统一（{found}）", "line ends are not uniform ({found})"),
    "no_codes": ("没有找到码或网址的列", "no column of codes or addresses was found"),
    "overlap": (
        "与 {other} 的 {kind} 序号范围重叠：{first}–{last}",
        "overlaps {other} in {kind} serials {first}–{last}",
    ),
    "pair": ("同一行中码与网址不一致", "code and address of this row differ"),
    "truncated": ("码不完整：{cell}", "truncated code: {cell}"),
    "unreadable": ("无法读取：{zh}", "cannot be read: {en}"),
}
# what each sort is called, above its findings
NAMES: Final[dict[str, tuple[str, str]]] = {
    "address": ("网址前缀不符", "other address"),
    "blank": ("空行", "blank rows"),
    "case": ("网址含小写字母", "lower-case addresses"),
    "columns": ("列数不符", "wrong number of columns"),
    "duplicate": ("重复的码", "duplicates"),
    "empty": ("空文件", "empty files"),
    "encoding": ("编码问题", "encoding"),
    "foreign": ("不属于此处的码", "codes of other batches"),
    "forged": ("验签不符的码", "codes that do not verify"),
    "malformed": ("不是码", "not codes"),
    "missing": ("缺码", "missing codes"),
    "mixed": ("多个批次混在一起", "several batches in one file"),
    "newline": ("换行符不统一", "line ends"),
    "no_codes": ("没有码的列", "no column of codes"),
    "overlap": ("序号范围重叠", "overlapping ranges"),
    "pair": ("码与网址不一致", "code and address differ"),
    "truncated": ("码不完整", "truncated codes"),
    "unreadable": ("无法读取的文件", "files that cannot be read"),
}
# why a file cannot be read
FAULTS: Final[dict[str, tuple[str, str]]] = {
    "encrypted": ("ZIP 有密码，请先解密", "the ZIP has a password: decrypt it first"),
    "files": ("ZIP 中文件过多", "the ZIP holds too many files"),
    "line": ("有一行过长，没有换行符", "it has a line that does not end"),
    "workbook": ("不是可读的 Excel 工作簿", "it is no workbook that can be read"),
    "zip": ("ZIP 已损坏", "the ZIP is damaged"),
}


def verdict(report: Report) -> tuple[str, str]:
    """May this be printed: a plain sentence in Chinese and in English."""
    rows, files = sum(file.rows for file in report.files), len(report.files)
    if report.ok and report.codes_verified:
        return (
            f"可以上机：{files} 个文件、{rows:,} 行，{report.codes_verified:,} 个码全部验签，没有发现问题。",
            f"Good to print: {files} files, {rows:,} rows, {report.codes_verified:,} codes verified; nothing is wrong.",
        )
    if report.ok:
        return (
            f"没有发现问题：{files} 个文件、{rows:,} 行。没有密钥，未验签。",
            f"Nothing is wrong: {files} files, {rows:,} rows. Without a key no code was verified.",
        )
    count = sum(report.counts.values())
    return (
        f"不要上机：{files} 个文件、{rows:,} 行中有 {count:,} 处问题。",
        f"Do not print: {count:,} faults in {files} files of {rows:,} rows.",
    )


def sentences(finding: Finding) -> tuple[str, str]:
    """What is wrong, in Chinese and in English."""
    chinese, english = SENTENCES[finding.code]
    facts = finding.facts
    if "reason" in facts:
        facts = {**facts, **dict(zip(("zh", "en"), FAULTS[facts["reason"]], strict=True))}
    return chinese.format(**facts), english.format(**facts)


def shape_words(facts: FileFacts) -> str:
    """The shape of a file in a few words that both languages share."""
    shape = facts.shape
    if shape.encoding is None:
        return "XLSX"
    sign = {"\t": "TAB", "": "—"}.get(shape.delimiter, shape.delimiter)
    return f"{shape.encoding.upper()} · {sign} · {(shape.newline or '').upper()}"


def lines(report: Report) -> list[str]:
    """The report for a terminal: a line a file, a line a finding, and the result."""
    found = []
    for file in report.files:
        ranges = ", ".join(
            f"{number} {kind.label} {first}–{last}" for (number, kind), (first, last) in sorted(file.ranges.items())
        )
        batches = ranges or ", ".join(str(number) for number in file.batches[:10])
        found.append(f"{file.name}: {shape_words(file)} · 行 rows {file.rows} · 码 codes {file.codes} · 批次 {batches}")
    for finding in report.findings:
        chinese, english = sentences(finding)
        found.append(f"{finding.file}:{finding.row}: {finding.code}: {chinese} / {english}")
    total = ", ".join(f"{code} {count}" for code, count in sorted(report.counts.items()))
    verified = f"{report.codes_verified}"
    if report.ok:
        found.append(f"没有发现问题，已验签 {verified} 个码 / no faults, {verified} codes verified")
    else:
        found.append(f"发现问题 / faults: {total}（已验签 / verified {verified}）")
    return found


def as_dict(report: Report) -> dict[str, Any]:
    """The report for programs."""
    return {
        "ok": report.ok,
        "verdict": dict(zip(("zh", "en"), verdict(report), strict=True)),
        "codes_verified": report.codes_verified,
        "counts": report.counts,
        "files": [
            {
                "name": file.name,
                "encoding": file.shape.encoding,
                "delimiter": file.shape.delimiter if file.shape.encoding else None,
                "newline": file.shape.newline,
                "rows": file.rows,
                "codes": file.codes,
                "batches": list(file.batches),
                "ranges": [
                    {"batch": number, "kind": kind.label, "first": first, "last": last}
                    for (number, kind), (first, last) in sorted(file.ranges.items())
                ],
            }
            for file in report.files
        ],
        "findings": [
            {
                "code": each.code,
                "file": each.file,
                "row": each.row,
                **dict(zip(("zh", "en"), sentences(each), strict=True)),
            }
            for each in report.findings
        ],
    }

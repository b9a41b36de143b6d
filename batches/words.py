"""What the press says to people, in Chinese and English: one sentence in each language for every refusal.

The factory reads Chinese, its supplier of machines perhaps not; so both are printed, Chinese first. A
sentence is chosen by the error's code, or by code and the fact that tells its cases apart.
"""

from __future__ import annotations

from typing import Final

from batches.errors import PressError

ZH: Final = {
    "malformed.length": "码应为 {expected} 位，实际为 {length} 位，请检查是否漏输或多输",
    "malformed.character": "第 {position} 位字符“{character}”不会出现在码中，请检查输入",
    "forged": "验签不符：此码不是用这把密钥生成的，或输入有误（批次 {batch}）",
    "out_of_range": "{field} 的值 {value} 超出范围（应小于 {limit}）",
    "unknown_kind": "没有这种码类型，可用：{kinds}",
    "bad_spec.number": "批次号 {value} 无效：应在 0 到 33554431 之间",
    "bad_spec.kinds": "码类型“{value}”无效：至少一种，不可重复，单类型文件须指明其一",
    "bad_spec.first": "起始序号 {value} 无效：应在 0 到 33554431 之间",
    "bad_spec.count": "数量 {value} 无效：至少为 1，且末序号不超过 33554431",
    "bad_spec.host": "扫码域名“{value}”无效：应为域名或 IPv4 地址，可带端口，不带路径；中文域名请用 xn-- 形式",
    "bad_spec.gtin": "GTIN“{value}”无效：应为 14 位数字且校验位正确",
    "bad_spec.lot": "生产批号“{value}”无效：1 到 20 位字母、数字或 GS1 允许的符号",
    "bad_spec.product_name": "产品名称过长或含控制字符",
    "bad_spec.order_no": "订单号过长或含控制字符",
    "bad_spec.columns": "没有“{value}”这一列",
    "bad_spec.formats": "文件格式“{value}”无效或重复",
    "bad_spec.layout": "版式“{value}”无法印制：请检查尺寸与间距（A4 四边至少留 10 毫米）",
    "bad_spec.encoding": "编码“{value}”不可用，或 GBK 中没有这个字符：请改用 UTF-8",
    "bad_spec.newline": "换行方式“{value}”不可用",
    "bad_spec.header": "表头“{value}”不可用，可用：en、zh、none",
    "bad_spec.rows_per_file": "每个文件的行数 {value} 无效：至少 100 行",
    "bad_spec.spoilage": "损耗数量 {value} 无效：应小于订单数量",
    "bad_spec.ticket": "制作选项“{value}”无效",
    "bad_spec.sscc_prefix": "厂商识别代码“{value}”无效：应为 4 到 12 位数字",
    "bad_spec.sscc_first": "SSCC 流水号 {value} 超出厂商识别代码的容量",
    "bad_spec.font": "无法使用字体“{value}”：需要 TrueType 字体文件",
    "too_many": "{format} 共 {count} 个，超过上限 {limit} 个，请拆分序号范围，或改用 csv/txt",
    "does_not_fit": "{what} 需要 {needs_mm} 毫米，标签只有 {has_mm} 毫米：请放大标签或减小模块",
    "unprintable": "标签字体缺少字符“{character}”，请修改名称或用 --font 指定字体",
    "no_space": "磁盘空间不足：需要 {needs_mb} MB，{folder} 剩余 {has_mb} MB",
    "stopped": "已按要求停止；重新运行会接着完成",
    "other_pack": "{folder} 中已有另一份订单或不同设置的码包，请换一个文件夹",
    "bad_manifest": "清单 {file} 缺失、损坏或版本不符",
    "bad_table": "文件 {file} 不是可以读取的表格",
    "bad_table.rows": "文件 {file} 的行数超过 Excel 工作表的上限",
    "unproved": "码包未通过检验，不可使用：{file}，行或序号 {row}（{what}）。请重新制作；如再次出现请联系技术支持",
    "bad_key_file": "密钥文件 {file} 无效：应为 64 位十六进制数字",
    "bad_recipient": "这不是 age 公钥：应以 age1 开头",
    "bad_identity": "身份文件 {file} 无效：应含一个以 AGE-SECRET-KEY- 开头的私钥",
    "not_sealed_for_you": "无法打开：文件不是封给这把私钥的，或已损坏",
    "bad_kit": "印码套件无法读取：已损坏，或版本不符",
    "kit_over": "印码套件已于 {until} 到期：此时生成的码无法再激活，请申请新的套件",
}


def sentence_key(error: PressError) -> str:
    """The key of ``ZH`` that speaks for this error."""
    case = error.facts.get("reason" if error.code in ("malformed", "bad_table") else "field")
    specific = f"{error.code}.{case}"
    return specific if specific in ZH else error.code


def spoken(error: PressError) -> str:
    """One line: the Chinese sentence and the English one."""
    return f"{ZH[sentence_key(error)].format(**error.facts)} / {error}"

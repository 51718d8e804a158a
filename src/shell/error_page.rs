//! The page of error codes in Chinese, made of the same texts that the program prints:
//! `docs/errors.zh.md`. A new code stands there as soon as it has its texts.

use super::exit::Exit;
use crate::domain::code::Code;
use crate::text::{
    Language, about_group_in_chinese, explained_in_chinese, meaning_in_chinese, remedy,
};

/// The groups of `docs/errors.md`: the code that each begins with, and its title.
const GROUPS: &[(Code, &str)] = &[
    (Code::Bug, "程序本身"),
    (Code::ConfigMissing, "station.toml 与口令"),
    (Code::LedgerOpen, "账本"),
    (Code::PortMissing, "串口与扫码枪"),
    (Code::CaMissing, "CA、时钟与内存"),
    (Code::CloudUnreachable, "云端"),
    (Code::FleetUnreachable, "总库"),
    (Code::WorkOrderUnknown, "工单"),
    (Code::OperatorUnknown, "人员"),
    (Code::ScanCharacters, "扫码"),
    (Code::UnitUnknown, "单元"),
    (Code::DevTimeout, "设备"),
    (Code::CloudInstanceChanged, "云端注册与出厂"),
    (Code::LabelPrinter, "标签"),
];

/// What stands above the first group.
const HEAD: &str = "# 错误代码

由程序自身的文字生成，不要手工修改。英文页：[errors.md](errors.md)。

```text
error[E-CA-PASSPHRASE]: 口令打不开 CA 密钥（……）
help: 现在该做什么
```

同样的代码也出现在 JSON 行的 `code` 和账本里。代码的含义不变，也不会再次使用。

“退出状态”是命令因该错误结束时的状态。运行中某个单元失败不会结束运行，只计入退出状态 1。\
一次运行中有多种错误时，退出状态取下列中第一个符合的：70、4、130、7、5、6、1。
";

/// The whole page.
pub fn error_page() -> String {
    let mut page = String::from(HEAD);
    for code in Code::ALL {
        if let Some((_, title)) = GROUPS.iter().find(|(first, _)| first == code) {
            page.push_str(&group(title));
        }
        page.push_str(&section(*code));
    }
    page
}

fn group(title: &str) -> String {
    let begins = format!("\n## {title}\n");
    match about_group_in_chinese(title) {
        "" => begins,
        about => format!("{begins}\n{about}\n"),
    }
}

fn section(code: Code) -> String {
    let (what, todo) = (meaning_in_chinese(code), remedy(code, Language::Chinese));
    let (status, explained) = (Exit::of(code).status(), explained_in_chinese(code));
    format!("\n### {code}\n{what}。退出状态 {status}。\n\n{explained}\n\n处理：{todo}。\n")
}

/// The codes that begin a group.
pub fn group_beginnings() -> impl Iterator<Item = Code> {
    GROUPS.iter().map(|(first, _)| *first)
}

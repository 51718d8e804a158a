//! What the checks of `doctor` and of the screen are called.

use super::language::Language;

/// Each check's name, which programs read too, and what it is called in Chinese.
pub const CHECKS: &[(&str, &str)] = &[
    ("clock", "时钟"),
    ("ledger", "账本"),
    ("files", "文件权限"),
    ("backups", "备份"),
    ("disk", "磁盘"),
    ("memory", "内存"),
    ("authority", "CA"),
    ("broker", "Broker 根证书"),
    ("journal-key", "日志密钥"),
    ("work-order", "工单"),
    ("connect", "本站 Broker"),
    ("ports", "串口"),
    ("scanner", "扫码枪"),
    ("labels", "标签"),
    ("cloud", "云端"),
    ("cloud-ca", "云端 CA"),
    ("broker-host", "Broker 地址"),
    ("broker-tls", "Broker TLS"),
    ("broker-root", "Broker 证书"),
    ("first-article", "首件"),
    ("backlog", "待注册"),
    ("pins", "PIN 码"),
    ("cloud-differs", "云端差异"),
    ("cloud-site", "云端站点"),
    ("uncertain", "未定单元"),
    ("time", "时间同步"),
    ("user", "运行用户"),
    ("adapters", "适配器"),
    ("letters", "控制台字形"),
    ("view", "看板页面"),
    ("fleet", "总库"),
    ("revocations", "吊销列表"),
];

/// What a check is called; one that is not known keeps its name.
pub fn check_name(check: &str, language: Language) -> &str {
    let known = CHECKS.iter().find(|(name, _)| *name == check);
    match (language, known) {
        (Language::Chinese, Some((_, chinese))) => chinese,
        _ => check,
    }
}

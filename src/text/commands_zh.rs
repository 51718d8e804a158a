//! What each command does, in a few words of Simplified Chinese: the summary of the manual.
//!
//! In English the command line's own definitions say it.

/// Each command by its words, in the order of the manual.
pub const COMMANDS: &[(&str, &str)] = &[
    ("demo", "在一个进程里演示整条产线：模拟设备，无需安装任何东西"),
    ("run", "操作员屏幕（不带命令时也是它）"),
    ("scan", "显示一次扫描的内容与判定，不动账本"),
    ("batch", "不用屏幕处理单元：每读入一行就是一次扫码"),
    ("sync", "在云端注册已验证的证书，并查清不明的注册"),
    ("authority init", "生成 CA：加密的密钥和证书，从不覆盖"),
    ("authority request", "为离线根下的 CA 生成签发请求"),
    ("authority import", "导入根为本 CA 签发的证书"),
    ("authority show", "显示 CA 证书"),
    ("authority check", "检查密钥与证书是否匹配、有效、可签发"),
    ("authority crl", "签发证书吊销列表（CRL）"),
    ("authority register", "在云端注册 CA，并等待其激活"),
    ("authority export", "导出 CA 证书（PEM），供云端控制台使用"),
    ("work-order create", "建立工单：数量和序列号规则"),
    ("work-order list", "列出工单"),
    ("work-order show", "显示一个工单"),
    ("work-order accept-profile", "接受更改后的产品配置"),
    ("work-order key make", "生成订单密钥，由本站 CA 签发证书"),
    ("work-order key request", "为离线根生成订单密钥的证书请求"),
    ("work-order key import", "导入根签发的订单密钥证书"),
    ("work-order key show", "显示订单密钥及其有效期"),
    ("work-order sign", "签署授权：某工站可生产多少单元"),
    ("work-order take", "离线核验并接收授权"),
    ("work-order give-back", "退回用不到的授权数量，并写成签名文件"),
    ("work-order verify", "核验授权或退回文件，不改动任何内容"),
    ("work-order close", "关闭工单"),
    ("operator add", "登记人员：操作员或主管"),
    ("operator list", "列出人员"),
    ("operator disable", "停用人员"),
    ("operator reset-pin", "重设人员的 PIN"),
    ("unit show", "显示一个单元的完整经过"),
    ("unit list", "列出单元及其状态"),
    ("unit void", "作废单元的证书（不可恢复）"),
    ("unit rework", "允许单元返工"),
    ("unit scrap", "报废单元（不可恢复）"),
    ("unit adopt", "登记账本丢失其记录的设备"),
    ("unit ship", "出厂检查：只放行已完成并已注册的单元"),
    ("label print", "打印已完成单元的标签（只发送一次）"),
    ("label reprint", "说明原因后重打同一张标签"),
    ("label read", "扫回标签并记录是否正确"),
    ("label list", "列出尚待处理的标签"),
    ("label badge", "打印人员工牌"),
    ("label slot", "打印工位条码"),
    ("label sheet", "打印工单卡"),
    ("ledger verify", "校验账本：日志链、签名和各表"),
    ("ledger segments list", "列出各分段的内容范围"),
    ("ledger segments show", "显示一个分段中的记录"),
    ("ledger segments verify", "仅凭 CA 证书校验一串分段"),
    ("ledger vouch", "由 CA 确认账本的日志密钥属于本工位"),
    ("ledger stats", "数量与良率"),
    ("ledger check", "检查账本文件是否损坏"),
    ("ledger backup", "在使用中备份账本"),
    ("ledger reindex", "重建丢失或异常的索引，并记入日志"),
    ("ledger restore", "把备份恢复到空的数据目录"),
    ("ledger accept-gap", "接受恢复后缺失的记录"),
    ("ledger set-aside", "把损坏的账本移到一旁"),
    ("export", "导出已验证的证书，供人工注册"),
    ("export attempts", "把每次处理导出为表格（CSV 或 NDJSON）"),
    ("export units", "把单元导出为表格（CSV 或 NDJSON）"),
    ("report shift", "班次报告：每小时产量与计划、良率、原因、工位、人员"),
    ("report day", "日报"),
    ("report week", "周报"),
    ("report work-order", "工单报告"),
    ("report unit", "一个单元的报告"),
    ("report verify", "核验批次包"),
    ("view", "在浏览器中查看产线、报告和单元（只读）"),
    ("metrics", "为监控系统写出各项数字（OpenMetrics）"),
    ("import-registered", "导入人工注册的结果"),
    ("ports", "列出串口：路径、物理位置、工位"),
    ("sim device", "伪终端后的模拟设备"),
    ("sim esp", "把模拟的乐鑫芯片接到伪终端后"),
    ("sim firmware", "把为本机编译的设备固件接到伪终端后"),
    ("sim modem", "伪终端后的模拟调制解调器（AT 命令）"),
    ("sim pull", "取出模拟设备（断电）"),
    ("sim put", "放回取出的模拟设备"),
    ("sim move", "把模拟设备移到另一个工位"),
    ("sim next", "在空工位放入下一台空白设备"),
    ("sim cloud", "在本机模拟云端 API"),
    ("selftest", "逐条检验新设备的固件，或接入 Broker 的途径"),
    ("doctor", "班前检查：产线能否运行"),
    ("config check", "检查 station.toml 并说明其含义"),
    ("config schema", "输出 station.toml 的 JSON Schema"),
    ("clock accept", "确认时钟正确"),
    ("completions", "输出命令行补全脚本"),
    ("man", "输出手册页"),
];

/// The summary as a manual page.
pub fn manual() -> String {
    let mut page = String::from(
        ".TH station 1\n.SH 名称\nstation \\- 让产线上的每台设备得到自己的身份：一台设备，一个密钥，一张 X.509 客户端证书\n\
         .SH 用法\n\\fBstation\\fR [\\fB\\-\\-config\\fR \\fIFILE\\fR] [\\fB\\-\\-json\\fR] \\fI命令\\fR\n.PP\n\
         每个命令的选项见 \\fBstation 命令 \\-\\-help\\fR（英文）。语言由 station.toml 的 \
         [station] language 决定，读入之前由 LC_ALL、LC_MESSAGES、LANG 决定。\n.SH 命令\n",
    );
    for (command, does) in COMMANDS {
        page.push_str(&format!(".TP\n\\fBstation {}\\fR\n{does}\n", command.replace('-', "\\-")));
    }
    page.push_str(
        ".SH 退出状态\n0 全部完成；1 没有全部完成；2 用法错误；3 station.toml；4 账本；5 串口或扫码枪；\
         6 云端；7 CA；8 另一个进程正在使用账本；70 程序错误；130 被信号停止。\n",
    );
    page
}

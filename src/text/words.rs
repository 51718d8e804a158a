//! The screen's words, each in every language: one that is missing does not compile.
//!
//! `{}` stands for a value, in the order of [`fill`].

use super::language::Language;

macro_rules! words {
    ($($name:ident: $english:literal, $chinese:literal;)*) => {
        /// A text of the screen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each is its English text")]
        pub enum Word { $($name,)* }

        impl Word {
            /// Every text.
            pub const ALL: &[Word] = &[$(Word::$name,)*];

            /// The text in this language.
            pub const fn text(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Word::$name, Language::English) => $english,
                      (Word::$name, Language::Chinese) => $chinese,)*
                }
            }
        }
    };
}

words! {
    // Pages, and the keys that lead to them.
    Help: "Help", "帮助";
    Line: "Line", "产线";
    History: "History", "历史";
    Unit: "Unit", "单元";
    Kept: "Uncertain", "未定";
    SlotPage: "Slot", "工位";
    Statistics: "Stats", "统计";
    Sync: "Sync", "同步";
    Checks: "Checks", "检查";
    Log: "Log", "日志";
    Settings: "Setup", "设置";
    OtherLanguage: "中文", "English";
    Quit: "Quit", "退出";

    HelpHelp: "this page", "本页";
    HelpLine: "the slots: scan, plug in, read the verdict", "工位：扫码、插入、看结果";
    HelpHistory: "find a unit, list what happened", "查找单元，列出经过";
    HelpStatistics: "yield, failure codes, slots", "良率、故障代码、工位";
    HelpSync: "registration with the cloud", "云端注册";
    HelpChecks: "the checks before a shift", "班前检查";
    HelpLog: "the last messages", "最近的消息";
    HelpSettings: "what station.toml says (read-only)", "station.toml 的内容（只读）";
    HelpLanguage: "switch between English and Chinese", "切换中英文";
    HelpQuit: "leave; always asks first", "退出；总是先询问";
    HelpTab: "go to the next slot that needs you", "跳到下一个需要处理的工位";
    HelpBackTab: "go to the slot before", "跳到上一个工位";
    HelpArrows: "move between slots, scroll a page", "在工位间移动，滚动页面";
    HelpPages: "the page of slots before or after", "上一页或下一页工位";
    HelpEnter: "take what was typed as a scan", "把输入的内容当作扫码";
    HelpEscape: "mark a message as seen, clear the line, go back", "消息已阅，清空输入，返回";
    HelpUnit: "the whole story of the slot's unit", "该工位单元的完整经过";
    HelpSlot: "how the slot's last units ended, with what to do", "该工位最近单元的结果和处理办法";
    HelpKept: "the units that are uncertain: who, when, where, what to do", "未定单元：何人、何时、何处、怎么办";
    HelpMenu: "what can be decided here: rework, void, clock, work orders",
        "可在此决定的事：返工、作废、时钟、工单";
    HelpSignIn: "sign in by id or name; or scan a badge", "用工号或姓名登录；也可扫描工牌";
    HelpWithdraw: "take back scans that wait for a device", "撤回等待设备的扫码";
    HelpBell: "bell for FAIL and HOLD on or off", "打开或关闭不合格与保留的铃声";
    HelpTheme: "other colours", "更换配色";
    HelpAutoScan: "the demo's scanner on or off", "打开或关闭演示扫码";
    HelpTakeOut: "the demo: take this slot's device out", "演示：取出此工位的设备";
    HelpPutIn: "the demo: put the device back that was taken out last", "演示：放回最近取出的设备";
    HelpRedraw: "draw the screen anew", "重画屏幕";
    HelpScanner: "A scanner may be used at any time, on every page and over every question.",
        "任何时候都可以扫码，无论在哪一页或有什么提问。";

    // The three verdicts.
    Pass: "PASS", "合格";
    Fail: "FAIL", "不合格";
    Hold: "HOLD", "保留";

    // What a slot is doing.
    SlotEmpty: "empty", "空";
    SlotIdentifying: "asking the device", "正在询问设备";
    SlotReady: "device waits for a scan", "设备等待扫码";
    SlotReadyInsert: "take it out, scan, put it in", "取出，扫码，再插入";
    SlotSilent: "no answer", "无应答";
    SlotTwice: "same device as in {}", "与 {} 是同一设备";
    SlotDone: "take the device out", "取出设备";
    SlotOut: "out of service", "停用";
    SlotBound: "put the device in", "请插入设备";
    SlotWrong: "wrong slot? a scan waits in another", "放错工位？扫码在等另一工位";
    SlotClosing: "done", "完成";

    // The steps of one unit.
    StepIdentify: "identify", "识别";
    StepReserve: "reserve", "登记";
    StepIssue: "make certificate", "签发证书";
    StepWrite: "write", "写入";
    StepCommit: "activate", "生效";
    StepRestart: "restart", "重启";
    StepProve: "prove", "验证";
    StepFinish: "finish", "收尾";

    // What to do with a unit.
    DoPass: "Take it out: done.", "取出：已完成。";
    DoPassLabel: "Take it out, put its label on, scan the label.", "取出，贴上标签，扫描标签。";
    DoReady: "Scan its label.", "请扫描它的标签。";
    DoPassReadBack: "Take it out: done. It was read back, it did not sign.", "取出：已完成。仅回读，设备未签名。";
    DoPassUnproven: "Take it out: done. Nothing was proven.", "取出：已完成。未作任何验证。";
    ProofPossession: "signed with its key", "已用私钥签名";
    ProofReadBack: "read back", "仅回读";
    ProofConnect: "connected", "已连接";
    ProofNone: "nothing proven", "未验证";
    DoPassAgain: "Proven before, and proven again just now.", "以前已合格，刚才再次验证合格。";
    DoHold: "Keep this unit and put it back into any slot.", "保留此单元，放回任意工位。";
    AtStep: "at {}", "在{}";

    // Header.
    NoWorkOrder: "no work order", "无工单";
    DoneOf: "{} of {}", "{}/{}";
    AnHour: "{}/h in {}", "每小时 {} 件（近 {}）";
    Labels: "labels: {} sent, {} open", "标签：已发送 {}，未完成 {}";
    FirstPass: "first pass {}", "一次通过 {}";
    Today: "today", "今天";
    CountPassed: "{} passed", "合格 {}";
    CountFailed: "{} failed", "不合格 {}";
    CountRefused: "{} refused", "拒绝 {}";
    ByHour: "by hour", "每小时";
    ThisHour: "this hour {}", "本小时 {}";
    CountUncertain: "{} uncertain: Ctrl-K", "未定 {}：Ctrl-K";
    TimeLeft: "{} left", "还需 {}";
    SlotsOf: "slots {} to {} of {}", "工位 {}–{}，共 {}";
    Starting: "starting …", "正在启动……";
    Landing: "ending: units under way are being finished or recorded",
        "正在结束：处理中的单元会做完或记录下来";
    Ended: "ended", "已结束";
    Hours: "{} h {} min", "{} 小时 {} 分";
    WholeHours: "{} h", "{} 小时";
    Minutes: "{} min", "{} 分钟";
    Days: "{} days", "{} 天";
    Years: "{} years", "{} 年";
    ThisMinute: "just now", "刚刚";
    Ago: "{} ago", "{}前";

    // Footer.
    Backlog: "cloud {} waiting", "云端待传 {}";
    SyncNever: "never synced", "从未同步";
    SyncAgo: "synced {}", "同步 {}";
    LightCloud: "cloud", "云端";
    LightFleet: "fleet", "总库";
    FleetHeard: "fleet {}", "总库 {}";
    FleetConflicts: "fleet: {} conflicts", "总库冲突 {}";
    LightDisk: "disk", "磁盘";
    LightCa: "CA ok", "CA";
    Disk: "disk {}", "磁盘 {}";
    ClockGood: "clock", "时钟";
    ClockBad: "clock wrong", "时钟有误";
    CaLeft: "CA {}", "CA {}";
    Nobody: "nobody signed in", "无人登录";
    BellOff: "bell off", "铃声关";
    AutoScanOn: "demo scans by itself (Ctrl-D)", "演示自动扫码（Ctrl-D）";
    AutoScanOff: "demo waits (Ctrl-D)", "演示暂停（Ctrl-D）";
    HandSlotEmpty: "the slot is empty", "工位是空的";
    HandSlotTaken: "a device is in the slot: Ctrl-E first", "工位里已有设备：先按 Ctrl-E";
    HandBenchEmpty: "nothing lies aside: Ctrl-E takes one out", "没有放在一旁的设备：Ctrl-E 可取出";
    DemoLast: "demo: the last units", "演示：最后几件";
    DemoDone: "done: {} passed, {} failed, {} uncertain: F10", "完成：合格 {}，不合格 {}，未定 {}：F10";

    // The scan line.
    ScanHere: "scan", "扫码";
    ScanAny: "Scan a label.", "请扫描标签。";
    ScanInsert: "Scan a label, then put its device in.", "先扫标签，再插入设备。";
    ScanSlotFirst: "Scan the slot's barcode, then the label.", "先扫工位条码，再扫标签。";
    ScanBadge: "Scan your badge, or press Ctrl-P.", "请扫描工牌，或按 Ctrl-P。";
    ScanForSlot: "Slot {}: scan the label.", "工位 {}：请扫标签。";
    ScanChoose: "Choose a work order: Ctrl-O, or scan its label.", "请选择工单：按 Ctrl-O 或扫工单条码。";
    ScanComplete: "The lot is complete. Ctrl-O: close the work order, or choose another.",
        "批次已完成。Ctrl-O：关闭工单或选择另一个。";
    LotComplete: "L O T   C O M P L E T E     {}     {} of {}", "批  次  完  成     {}     {}/{}";
    ScanWaits: "{} waits: put its device in. Ctrl-X takes the scan back.",
        "{} 等待：请插入设备。Ctrl-X 撤回。";
    ScanNotYet: "Not yet: the slots are being looked at.", "稍候：正在查看工位。";
    ScanBusy: "All slots are busy: wait until one is free.", "工位都在使用：等一个空出来。";

    // Messages.
    Refused: "REFUSED", "拒绝";
    Warning: "WARNING", "警告";
    SeenKey: "Esc: seen", "Esc：已阅";
    More: "+{} more", "还有 {} 条";
    AllInLog: "F7: all of it", "F7：完整内容";
    AllInSlot: "Ctrl-V: all of it", "Ctrl-V：完整内容";
    AheadScan: "{} scans wait already", "已有 {} 个扫码在等待";

    // Dialogs.
    QuitTitle: "Leave?", "退出？";
    QuitRunning: "Units that are being worked on: {}", "正在处理的单元：{}";
    QuitIdle: "No unit is being worked on.", "没有正在处理的单元。";
    QuitLanding: "Units that are still being finished: {}", "仍在收尾的单元：{}";
    QuitKept: "Units to keep, since they are uncertain: {}", "未定单元，须保留：{}";
    QuitWaiting: "Scans that wait are taken back.", "等待中的扫码会被撤回。";
    QuitCut: "They will be recorded as interrupted.", "它们会被记录为中断。";
    QuitYes: "Enter: finish them, then leave", "Enter：做完再退出";
    QuitYesIdle: "Enter: leave", "Enter：退出";
    QuitYesNow: "Enter: leave now", "Enter：立即退出";
    QuitNo: "Esc: stay", "Esc：留下";
    StoppedTitle: "The line has stopped", "产线已停止";
    StoppedLeave: "Enter or Esc: leave", "Enter 或 Esc：退出";

    // What a person decides.
    MenuTitle: "What to do?", "要做什么？";
    MenuKeys: "↑ ↓ choose   Enter take   Esc leave", "↑ ↓ 选择   Enter 确定   Esc 返回";
    MenuEmpty: "There is nothing to decide here.", "此处没有可决定的事。";
    DoSignIn: "Sign in", "登录";
    DoSignOut: "Sign out", "退出登录";
    DoRework: "Allow rework on the same device", "允许在同一设备上返工";
    DoReworkElsewhere: "Allow rework on another device", "允许换设备返工";
    DoVoid: "Void its certificate, for good", "作废其证书（不可恢复）";
    DoScrap: "Scrap it, for good", "报废（不可恢复）";
    DoAcceptClock: "Accept the clock as right", "确认时钟正确";
    DoStartSync: "Start a sync with the cloud", "开始与云端同步";
    DoStopSync: "Stop the sync", "停止同步";
    DoOrders: "Work orders …", "工单……";
    DoMakeOrder: "Make this work order", "做此工单";
    DoAcceptProfile: "Accept the changed product", "接受更改后的产品配置";
    DoCloseOrder: "Close the work order", "关闭工单";
    FieldWho: "who", "何人";
    FieldSupervisor: "supervisor", "主管";
    FieldPin: "PIN", "PIN 码";
    FieldReason: "reason", "理由";
    FormKeys: "Tab next field   Enter go on   Esc leave", "Tab 下一项   Enter 继续   Esc 返回";
    FormSent: "one moment …", "请稍候……";
    FormHurried: "That was quick. Press Enter once more to confirm.", "按得太快。请再按一次 Enter 确认。";
    FormFast: "That came as fast as a scan. If it was a label, press Delete.", "输入速度像扫码。如果是标签，请按 Delete 清除。";
    FormPeople: "Scan a badge, or type an id or a name.", "扫描工牌，或输入工号或姓名。";
    FormSupervisor: "Goes into the journal with reason and person.", "连同理由和人员记入日志。";

    // Pages.
    Looking: "looking …", "正在查找……";
    HistoryAll: "all attempts, the newest first", "全部尝试，最新在前";
    HistoryFound: "found for: {}", "查找：{}";
    HistoryOnly: "only: {}", "仅：{}";
    HistoryWrong: "\"{}\" can't be meant. Write for example: slot:A fail code:E-DEV-TIMEOUT day:2026-01-31 TH200-0001",
        "“{}”无法理解。例如：slot:A fail code:E-DEV-TIMEOUT day:2026-01-31 TH200-0001";
    HistoryHint: "Type a serial, client id, certificate or device; also slot: code: day: fail",
        "输入序列号、客户端 ID、证书或设备；也可 slot: code: day: fail";
    HistoryKeys: "Enter: unit   ← →: outcome   PgDn PgUp: pages", "Enter：单元   ← →：结果   PgDn PgUp：翻页";
    HistoryMore: "PgDn: more", "PgDn：更多";
    HistoryTooMany: "too many match: type more", "匹配过多：请输入更多字符";
    When: "when ({})", "时间（{}）";
    Person: "who", "何人";
    OutcomePass: "pass", "合格";
    OutcomeFail: "fail", "不合格";
    OutcomeInterrupted: "cut off", "中断";
    OutcomeRunning: "running", "进行中";
    OutcomeUncertain: "uncertain", "未定";
    OutcomeOpen: "running or uncertain", "进行中或未定";
    StateReserved: "reserved", "已登记";
    StateIssued: "issued", "已签发";
    StateUncertain: "uncertain: keep the unit", "未定：保留此单元";
    StateFailed: "failed", "失败";
    StateProven: "proven", "已验证";
    StateRegistered: "registered", "已注册";
    StateShipped: "shipped", "已出厂";
    StateRework: "may be reworked", "可返工";
    StateVoid: "void", "已作废";
    StateScrapped: "scrapped", "已报废";
    CertificateIssued: "issued", "已签发";
    CertificateUncertain: "uncertain", "未定";
    CertificateProven: "proven", "已验证";
    CertificateSuperseded: "superseded", "已被取代";
    CertificateVoid: "void", "已作废";
    RegistrationNone: "not to be registered", "无需注册";
    RegistrationWaiting: "waits", "等待";
    RegistrationUnclear: "unclear", "不明";
    RegistrationRegistered: "registered", "已注册";
    RegistrationDeferred: "deferred", "推迟";
    RegistrationConflict: "conflict", "冲突";
    RegistrationRejected: "rejected", "被拒";
    RegistrationWithdrawn: "withdrawn", "已撤回";
    RegistrationRevoked: "revoked", "已吊销";
    UnitNone: "No unit is chosen: focus a slot, or take one from the history (F3).",
        "未选择单元：选中工位，或从历史（F3）中选择。";
    UnitUnknown: "The ledger has never seen this unit.", "账本中没有此单元。";
    UnitState: "state", "状态";
    ClientId: "client id", "客户端 ID";
    WorkOrder: "work order", "工单";
    Since: "since", "始于";
    Registration: "cloud", "云端";
    Fingerprint: "fingerprint", "指纹";
    UnitKeys: "Ctrl-O: rework, void, scrap   Esc: history", "Ctrl-O：返工、作废、报废   Esc：历史";
    KeptNone: "No unit is uncertain.", "没有未定单元。";
    KeptTodo: "Keep these units. Put each back into any slot: its device tells what it holds. They must not be shipped, and must not go to scrap.",
        "保留这些单元，逐一放回任意工位：设备会说明持有什么。不得发货，不得报废。";
    KeptLost: "A device that is lost or dead: Enter, then Ctrl-O; a supervisor voids its certificate.",
        "设备丢失或损坏：按 Enter，再按 Ctrl-O，由主管作废其证书。";
    KeptKeys: "↑ ↓ choose   Enter: unit   Esc: line", "↑ ↓ 选择   Enter：单元   Esc：产线";
    KeptMore: "and {} more: station unit list --state uncertain", "另有 {} 个：station unit list --state uncertain";
    SlotKeys: "← → other slots   Ctrl-U: unit   Esc: line", "← → 其他工位   Ctrl-U：单元   Esc：产线";
    SlotNothing: "No unit has ended here since this screen was started. F3 has all of them.",
        "本次启动以来此工位没有单元结束。全部记录在 F3。";
    PeriodAll: "everything", "全部";
    PeriodDay: "{} ({})", "{}（{}）";
    StatisticsKeys: "← → day  Home today  End all  ↑ ↓ Enter: units", "← → 日期  Home 今天  End 全部  ↑ ↓ Enter：单元";
    Attempts: "attempts", "尝试";
    CutOff: "cut off", "中断";
    OutputByHour: "passed by hour ({})", "每小时合格数（{}）";
    YieldByHour: "yield by hour", "每小时良率";
    NoFailures: "no failure", "没有故障";
    ByCode: "failures by code", "按代码统计的故障";
    BySlot: "by slot", "按工位";
    LookAtSlot: "look at its contacts", "请检查触点";
    SyncWaits: "Waiting for the cloud", "等待上传云端";
    SyncNothing: "Nothing waits.", "没有等待项。";
    SyncRunning: "A sync runs: {} done, {} failed", "同步进行中：完成 {}，失败 {}";
    SyncEnded: "The last sync: {} done, {} failed", "上次同步：完成 {}，失败 {}";
    SyncTroubles: "Needs somebody", "需要处理";
    SyncKeys: "Ctrl-O: start or stop a sync   Enter: look again", "Ctrl-O：开始或停止同步   Enter：刷新";
    ChecksRun: "checking …", "正在检查……";
    ChecksKeys: "Enter: check again. Ports are the line's while it runs.", "Enter：重新检查。运行时端口由产线占用。";
    NothingYet: "Nothing yet.", "暂无内容。";
    NoFigures: "No figures yet.", "暂无数据。";
    TooSmall: "Too small: {} x {} is needed, this is {} x {}.", "终端太小：需要 {} x {}，现为 {} x {}。";
    Slot: "slot", "工位";
    Passed: "passed", "合格";
    Failed: "failed", "不合格";
    Held: "held", "保留";
    Serial: "serial", "序列号";
    Outcome: "outcome", "结果";
    Code: "code", "代码";
    Reason: "reason", "原因";
    Remedy: "what to do", "怎么办";
    Hardware: "device", "设备";
    HardwareId: "hardware id", "硬件 ID";
    Certificate: "certificate", "证书";
    CertificateNumber: "certificate number", "证书号";
    Attempt: "attempt", "尝试";
    Duration: "took", "用时";
    SessionOnly: "since this screen was started", "本次启动以来";
}

/// The text of `word` with its values in their places.
pub fn fill(word: Word, language: Language, values: &[&str]) -> String {
    let mut parts = word.text(language).split("{}");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        text.push_str(values.get(index).copied().unwrap_or_default());
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_both_languages_with_the_same_places() {
        let places = |word: Word, language| word.text(language).matches("{}").count();
        for word in Word::ALL {
            for language in Language::ALL {
                assert!(!word.text(*language).trim().is_empty(), "{word:?} in {language:?}");
            }
            let [english, chinese] =
                [Language::English, Language::Chinese].map(|l| places(*word, l));
            assert_eq!(english, chinese, "{word:?}");
        }
    }

    #[test]
    fn the_texts_of_the_two_languages_differ() {
        let same: Vec<_> = Word::ALL
            .iter()
            .filter(|word| word.text(Language::English) == word.text(Language::Chinese))
            .collect();
        assert_eq!(same, [&Word::CaLeft]);
    }

    #[test]
    fn values_go_to_their_places() {
        assert_eq!(fill(Word::DoneOf, Language::English, &["3", "20"]), "3 of 20");
        assert_eq!(fill(Word::DoneOf, Language::Chinese, &["3", "20"]), "3/20");
    }
}

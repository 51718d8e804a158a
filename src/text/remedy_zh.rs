//! What to do now, one sentence for each code, in Simplified Chinese.

use crate::domain::code::Code;

/// What a person should do about `code`.
pub(super) const fn remedy(code: Code) -> &'static str {
    use Code::*;
    match code {
        Bug => "保存这段输出并上报，然后重新启动：已记录的内容是安全的",
        Shortage => "结束其他程序或提高其限额，然后重新启动",
        Usage => "用 --help 再次运行该命令",
        Output => "腾出空间或换一个输出位置，然后重新运行",
        Input => "检查路径，以及当前用户是否有权读取该文件",
        Stopped => "重新启动同一命令；未完成的单元会先被处理",

        ConfigMissing => "用 --config FILE 指定文件，或先试 `station demo`",
        ConfigSyntax => "改正 station.toml 的那一行，然后运行 `station config check`",
        ConfigKey => "改正或删除该键，然后运行 `station config check`",
        ConfigValue => "改正该值，然后运行 `station config check`",
        ConfigPattern => "改正该模式，然后运行 `station config check`",
        ConfigPortTwice => "给每个工位和扫码枪各自的名称和端口",
        SecretMissing => "通过环境变量、文件或 systemd 凭据提供该密钥口令",
        SecretMode => "对该文件运行 `chmod 600`，并想想谁可能读过它",

        LedgerOpen => "检查数据目录的路径、所有者和权限",
        LedgerSetAside => "恢复最新的备份：`station ledger restore --newest`",
        LedgerGap => "运行 `station sync --full` 或 `station ledger accept-gap`",
        LedgerBackup => "检查备份目录：介质是否在位，空间是否足够",
        LedgerNewer => "使用写入该账本的程序或更新的版本，绝不要用旧版本",
        LedgerStation => "改正 `[station] id` 或 `data_dir`：一个账本只属于一个站",
        LedgerFileSystem => "把 `[station] data_dir` 移到 ext4、xfs 等本地文件系统",
        LedgerDiskFull => "清理数据目录所在磁盘，然后重新启动",
        LedgerWrite => "设备保持原位，检查磁盘，然后重新启动",
        LedgerCorrupt => "停线，把数据目录另外复制一份，再恢复备份",
        LedgerJournal => "停线，把数据目录另外复制一份：它是证据",
        LedgerSchema => "停线，用 `station ledger verify`；索引缺失用 `station ledger reindex`",
        LedgerCut => "停线，把数据目录另外复制一份，找回缺失的记录",
        LedgerRolledBack => "停线，找到较新的账本；不要在这份副本上工作",
        LedgerNote => "保留该记录文件，查明谁能写它，然后运行 `station ledger verify`",
        LedgerExists => "换一个文件或空的数据目录；任何内容都不会被覆盖",
        LedgerKey => "找回建立该账本时的 journal.key 和日志口令",
        LedgerUnvouched => "用 `station ledger verify` 看它属于谁；确认后用 `station ledger vouch`",
        LedgerMode => "运行 `chmod -R go= 目录` 收回他人的权限，并想想谁曾拥有它们",
        LedgerBusy => "等待那个进程结束，或用 SIGTERM 停止它",

        PortMissing => "插好适配器，并与 `station ports` 列出的路径核对",
        PortBusy => "关闭占用该端口的程序；`fuser PORT` 会指出它",
        PortOpen => "检查当前用户是否在端口所属的组中，通常是 `dialout`",
        ScannerOpen => "插好扫码枪，并与 `station ports` 核对 `[scanner] port`",

        CaMissing => "检查 `[authority]` 的路径，或用 `station authority init` 建立 CA",
        CaExists => "没有覆盖任何内容；要另建 CA，请把 `[authority]` 指向别处",
        CaPassphrase => "提供加密 CA 密钥时所用的口令",
        CaKey => "检查 `[authority] key` 是否为加密的 PKCS#8 P-256 密钥",
        CaProfile => "用带 CA:TRUE、keyCertSign、P-256 且链能被验证的 CA",
        CaMismatch => "让 `[authority] certificate` 与 `key` 指向同一次生成的文件",
        CaExpired => "先检查时钟；时钟正确时，需要新的 CA",
        CaTooShort => "缩短 `[certificate] valid_for`，或使用有效期更长的 CA",
        CaIssue => "把单元放到一边，运行 `station doctor`，再次出现时上报",
        HsmModule => "检查 `[authority] module`：应为 HSM 厂商为本机提供的 PKCS#11 库",
        HsmToken => "插好令牌，并核对 `[authority] token_label` 与令牌标签是否一致",
        HsmPin => "提供令牌的用户 PIN；不要反复试，几次错误后会锁定",
        HsmKey => "核对 `[authority] key_label`，或用 `station authority init` 生成密钥",
        HsmFailed => "检查 HSM 及其日志；工位会自行重新打开会话",
        DevConnect => "检查夹具的网络，并确认 broker 的名称解析到本工位",
        BrokerMissing => "安装 mosquitto（`apt-get install mosquitto`）后重新运行自检",
        BrokerStart => "消息指出问题所在：文件、被占用的地址或日志末尾",
        ClockGap => "校准时钟；时钟正确时运行 `station clock accept --reason …`",
        VaultLock => "提高锁定内存的上限（`ulimit -l`，systemd LimitMEMLOCK）",

        CloudUnreachable => "检查网络、域名解析和 `[cloud]`；数据不会丢失，稍后再运行",
        CloudAnswer => "检查 `[cloud] endpoint` 以及中间的代理、门户或过滤设备",
        CloudThrottled => "稍后再运行；若配额与他人共用，请调低 `[cloud] rate_per_second`",
        CloudCredentials => "通过环境变量、文件或凭据提供有效的 secret id 和 key",
        CloudPermission => "按 docs/administrator.md 给该账号授权，或放行其地址",
        CloudClock => "校准本站时钟，最好用 NTP；云端最多允许相差五分钟",
        CloudAction => "改用支持该操作的站点，或用 `station export` 和云控制台",
        CloudInstance => "改正 `[cloud]` 的 endpoint、region 和 instance_id",
        CloudNotReady => "在云控制台查看实例，等其运行后再执行",
        CloudMode => "按提示在控制台修改实例，或改正 `[cloud]`",
        CloudAuthority => "运行 `station authority register`，或在控制台激活该 CA",
        CloudVerification => "再次运行；仍失败时，按手册在控制台注册 CA",
        CloudQuota => "在控制台删除不再需要的内容，或申请更大配额",
        CloudRejected => "用 `station unit show` 查看该单元；信息中写明云端拒绝的原因",
        CloudRoots => "安装系统根证书（ca-certificates），或在 `[cloud] root` 指定",
        CloudBroker => "改正 `[broker]`，或按提示在控制台修改实例",
        CloudFirstArticle => "运行 `station sync --limit 1`，让一台设备连上后再继续生产",

        WorkOrderUnknown => "用 `station work-order list` 查看工单",
        WorkOrderExists => "换一个编号，或使用已有的工单",
        WorkOrderClosed => "使用未关闭的工单，或新建一个",
        WorkOrderFull => "该批次已完成：关闭工单，继续下一个",
        WorkOrderAmbiguous => "用 --work-order ID 指定一个",
        WorkOrderProfile => "恢复原来的产品配置，或由主管接受更改后的配置",

        OperatorUnknown => "核对工号；`station operator list` 列出所有已登记人员",
        OperatorExists => "换一个工号，或使用 `station operator reset-pin`",
        OperatorDisabled => "请其他人操作；停用的工号不再使用",
        OperatorLast => "先添加另一位主管，再停用此人",
        OperatorAbsent => "请扫描工牌，或按 Ctrl-P 输入工号",
        SupervisorNeeded => "请主管批准：需要主管的工号（`--by ID`）和 PIN",
        PinWrong => "请仔细重新输入；连续输错五次后 PIN 会被锁定一段时间",
        PinLocked => "等到提示中的时间，或请另一位主管批准或重设 PIN",
        PinWeak => "请选择 4 到 64 个字符、不易被猜到的 PIN",

        ScanCharacters => "重新扫描该单元自己的标签；仍然不行就清洁或更换标签",
        ScanKeys => "扫描该单元自己的标签；仍然不行就把扫描枪设为只发送文本和回车",
        ScanPattern => "确认这是单元的序列号，并且是本产品的标签",
        ScanCheck => "再扫一次；一直不对说明标签印错或损坏",
        ScanRange => "确认该标签属于本站和本工单",
        ScanClientId => "检查标签和 `[product] client_id`",
        ScanLabel => "查看标签应符合 `[[scanner.label]]` 的哪条规则；用 `station scan` 可以看到",
        ScanAmbiguous => "只扫含有该单元序列号的那个条码；遮住其他条码",
        ScanOtherProduct => "换成本产品的标签；这张属于另一产品",
        ScanOtherDevice => "找到标签上所写的设备；标签和设备弄混了",
        ScanSeparators => "把扫码枪设为将 FNC1 发送为分组符 0x1D，然后重扫",
        ScanLines => "一次只扫一张标签的一个条码；没有写入任何设备",
        ScanTooLong => "扫描单元自己的标签；这个条码的内容比标签长",
        ScanParity => "按扫码枪设置 `[scanner] data_bits` 和 `parity`，或把扫码枪设为 8N1",
        ScanNoRead => "重扫：靠近、放正、光线充足；清洁或更换标签",
        ScanNoEnd => "把扫码枪设为每次扫描以 CR 结束，或设置 `[scanner] ends`",
        ScanDuplicate => "等正在处理的单元结束；它被扫了两次",
        ScanSlot => "指定 station.toml 中一个可用的工位",
        ScanAhead => "等有工位空闲后，再扫这张标签",
        ScanTwoDevices => "取出这两个设备，再扫一张标签并插入它自己的设备",
        ScanNoDevice => "放入设备，检查供电和触点，再扫一次",

        UnitUnknown => "检查序列号；`station unit list` 列出已知的单元",
        UnitProven => "放到已完成区；要重新烧录，须先批准返工",
        UnitOtherDevice => "找到该标签自己的设备；维修时须先批准返工",
        UnitsUncertain => "保留这些单元，逐一放回任意工位；设备丢失时由主管作废",
        UnitElsewhere => "放入该单元自己的设备；设备丢失时将其作废",
        UnitState => "先用 `station unit show` 查看该单元",
        UnitScrapped => "把该单元从线上取走：它已报废",
        UnitDeadline => "重新扫描该单元；再次超时就检查它的设备",
        UnitInterrupted => "重新扫描该单元：会先询问设备保存了什么",

        DevTimeout => "检查触点、供电和波特率，再扫一次",
        DevNoise => "检查波特率和接线，再扫一次",
        DevEcho => "检查收发线是否短接、适配器是否回显，以及后面有没有设备",
        DevUnplugged => "把设备放稳，再扫一次",
        DevRefused => "再扫一次；再次拒绝就把设备放到一边",
        DevMalformed => "检查设备的固件版本，并把它放到一边",
        DevVersion => "升级本站程序或设备固件",
        DevModel => "取出设备：型号不同，或 `[product] model` 写错了",
        DevCapacity => "检查固件中身份分区的大小",
        DevHardwareId => "把设备放到一边：它的硬件编号从未写入",
        DevTwice => "取出这两个设备并查看：一个编号只能存在一次",
        DevOtherLabel => "找到那个单元的标签；标签和设备弄混了",
        DevFactorySerial => "找到设备自己的标签；标签和设备弄混了",
        DevUnknownIdentity => "把设备放到一边：账本不认识它的证书",
        DevLocked => "把设备放到一边：已锁定的设备不接受身份",
        DevHoldsIdentity => "先查看设备中的身份；若可以丢弃，加上 --overwrite",
        DevSecurity => "把设备放到一边：它的保护没有打开",
        DevNoKeygen => "升级设备固件，或由本站生成密钥（`key_origin`）",
        DevCsr => "把设备放到一边：它申请的不是自己的证书",
        DevNotStored => "把设备放到一边：它没有保存它声称已保存的内容",
        DevNotRestarted => "手动断电后重新扫描",
        DevSwapped => "在工位显示结果之前不要取出设备",
        DevProof => "把设备放到一边：它不能用所给的密钥签名",
        DevLostIdentity => "若是有意恢复出厂，先批准返工，再扫一次",
        DevContradiction => "把设备放到一边并报告主管：它前后说法不一",
        ProofTooWeak => "检查 `[product] required_proof` 和该固件的能力",
        KeyDuplicate => "停线并上报：两个设备或两次尝试用了同一把密钥",

        CloudInstanceChanged => "改正 `[cloud]`，或用 `station sync --migrate` 迁移过去",
        HandoffMismatch => "用 `station unit show` 核对该行，改正后再次导入",
        CloudConflict => "在控制台比较两张证书，删除不属于本站的那一张",
        CloudRevoked => "返工或报废该单元：已吊销的证书不会再生效",
        CloudAbsent => "运行 `station sync --full` 比较云端与账本",
        CloudUnclear => "再次运行 `station sync`：它会先查清该请求的结果",
        CloudRevoker => "提供吊销用的凭据，然后再次运行 `station sync`",
        CloudBacklog => "运行 `station sync`，并查明夜间同步为何没有完成",
        ShipNotActive => "先在产线上完成该单元，再运行 `station sync`，然后发货",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_remedy_is_one_short_sentence_of_its_own() {
        let mut all: Vec<&str> = Code::ALL.iter().map(|code| remedy(*code)).collect();
        assert!(all.iter().all(|text| (8..=60).contains(&text.chars().count())));
        assert!(
            all.iter().all(|text| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)))
        );
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), Code::ALL.len());
    }
}

//! What libraries say of data, connections and databases, in Chinese.
//!
//! Libraries say it in English alone, around values. What stands between the values is told by
//! its words; what is not known here stays as it is, and says as much as it did before.

/// What they say, and the same in Chinese; what contains another stands before it.
const TABLE: &[(&str, &str)] = &[
    // JSON, and what is read out of it or out of TOML.
    ("EOF while parsing a list", "数据在列表中间结束"),
    ("EOF while parsing an object", "数据在对象中间结束"),
    ("EOF while parsing a string", "数据在字符串中间结束"),
    ("EOF while parsing a value", "数据在值的位置结束"),
    ("control character (\\u0000-\\u001F) found while parsing a string", "字符串中有控制字符"),
    ("key must be a string", "键应为字符串"),
    ("number out of range", "数值超出范围"),
    ("invalid unicode code point", "不是 Unicode 字符"),
    ("recursion limit exceeded", "嵌套过深"),
    ("trailing characters", "末尾有多余内容"),
    ("trailing comma", "末尾有多余的逗号"),
    ("invalid escape", "转义无效"),
    ("invalid number", "数字无效"),
    ("expected value", "此处应为一个值"),
    ("expected ident", "此处应为 true、false 或 null"),
    ("invalid type: ", "类型不对："),
    ("invalid value: ", "值不对："),
    ("invalid length ", "长度不对："),
    ("unknown variant ", "未知的取值 "),
    ("unknown field ", "未知的字段 "),
    ("missing field ", "缺少字段 "),
    ("duplicate field ", "字段重复："),
    (", there are no fields", "，这里不应有字段"),
    ("expected one of ", "应为其中之一："),
    (", expected ", "，应为 "),
    ("expected `,` or `]`", "此处应为 `,` 或 `]`"),
    ("expected `,` or `}`", "此处应为 `,` 或 `}`"),
    ("expected `:`", "此处应为 `:`"),
    ("unit value", "空值"),
    ("floating point ", "小数 "),
    ("integer ", "整数 "),
    ("boolean ", "布尔值 "),
    ("string ", "字符串 "),
    ("a string", "字符串"),
    ("a sequence", "列表"),
    ("sequence", "列表"),
    ("a map", "对象"),
    ("map, ", "对象，"),
    (" at line ", "，第 "),
    (" column ", " 行第 "),
    // What types of this program say where they are read out of JSON.
    ("a signature has 64 bytes", "签名应有 64 字节"),
    (" is no time of RFC 3339", " 不是 RFC 3339 的时间"),
    // TOML.
    ("extra assignment between key-value pairs", "键和值之间有多余的等号"),
    ("missing assignment between key-value pairs", "键和值之间缺少等号"),
    ("missing comma between array elements", "数组的元素之间缺少逗号"),
    ("missing comma between key-value pairs", "键值之间缺少逗号"),
    ("unexpected content between comment and newline", "注释和换行之间有多余内容"),
    ("unexpected key or value", "多余的键或值"),
    ("unexpected content", "多余的内容"),
    ("missing value for key", "键没有值"),
    ("key with no value", "键没有值"),
    ("unclosed array table", "表数组的方括号没有结束"),
    ("unclosed array", "数组没有结束"),
    ("unclosed inline table", "行内表没有结束"),
    ("unclosed table", "表头没有结束"),
    ("invalid key-value pair", "键值写法无效"),
    ("duplicate key", "键重复"),
    ("invalid basic string", "字符串无效"),
    // TLS and connections.
    ("certificate not valid for name ", "证书不适用于名称 "),
    ("certificate is only valid for ", "证书只适用于 "),
    ("invalid peer certificate: ", "对方的证书无效："),
    ("certificate expired: verification time ", "证书已过期：核对时间 "),
    ("certificate not valid yet: verification time ", "证书尚未生效：核对时间 "),
    ("received fatal alert: ", "对方发来 TLS 告警："),
    ("received corrupt message of type ", "收到的不是 TLS 消息："),
    ("peer is incompatible: ", "对方不兼容："),
    ("tls handshake eof", "TLS 握手中连接断开"),
    ("peer closed connection without sending TLS close_notify", "对方没有结束 TLS 就断开了连接"),
    ("failed to lookup address information: ", "域名无法解析："),
    ("Name or service not known", "没有这个域名"),
    ("No address associated with hostname", "该域名没有地址"),
    ("Temporary failure in name resolution", "暂时无法解析域名"),
    ("connection closed before message completed", "应答没有完成，连接就断开了"),
    ("operation timed out", "超时"),
    ("client error (Connect)", "连接失败"),
    ("tcp connect error", "TCP 连接失败"),
    ("tcp set_nonblocking error", "TCP 连接失败"),
    ("dns error", "域名无法解析"),
    ("deadline has elapsed", "超时"),
    ("relative URL without a base", "网址缺少 https:// 开头"),
    ("invalid port number", "端口号无效"),
    ("invalid socket address syntax", "应写作 地址:端口"),
    ("invalid digit found in string", "应为数字"),
    ("cannot parse integer from empty string", "应为数字"),
    ("number too large to fit in target type", "数字过大"),
    ("number too small to fit in target type", "数字过小"),
    ("empty host", "缺少主机名"),
    // SQLite.
    ("database disk image is malformed", "数据库文件损坏"),
    ("file is not a database", "文件不是数据库"),
    ("database is locked", "数据库被占用"),
    ("disk I/O error", "磁盘读写错误"),
    ("attempt to write a readonly database", "数据库只读"),
    ("unable to open database file", "数据库文件无法打开"),
    ("database or disk is full", "数据库或磁盘已满"),
    ("unable to open database: ", "数据库无法打开："),
    ("constraint failed", "违反约束"),
    // PostgreSQL's client.
    ("error connecting to server", "无法连接服务器"),
    ("error communicating with the server", "与服务器的通信出错"),
    ("connection closed", "连接已断开"),
    ("db error: ", "数据库报错："),
    // Patterns.
    ("unclosed group", "括号没有结束"),
    ("unopened group", "括号没有开始"),
    ("unclosed character class", "方括号没有结束"),
    ("unclosed counted repetition", "花括号没有结束"),
    ("repetition operator missing expression", "重复符号前面没有内容"),
    ("unrecognized escape sequence", "不认识的转义"),
    ("invalid escape sequence found in character class", "方括号里的转义无效"),
    ("invalid character class range, the start must be <= the end", "方括号里的范围首尾颠倒"),
    (
        "look-around, including look-ahead and look-behind, is not supported",
        "不支持前后查找（look-around）",
    ),
    ("backreferences are not supported", "不支持反向引用"),
    // Tables of values, archives.
    ("CSV error: ", "CSV 出错："),
    ("invalid Zip archive: ", "ZIP 文件无效："),
    ("Could not find EOCD", "找不到结尾目录"),
    ("specified file not found in archive", "ZIP 里没有该文件"),
    ("stream did not contain valid UTF-8", "内容不是 UTF-8 文本"),
    ("failed to fill whole buffer", "数据提前结束"),
    ("unexpected end of file", "数据提前结束"),
];

/// What a library said, in Chinese; nothing where none of its words are known.
pub fn in_chinese(text: &str) -> Option<String> {
    let mut said = text.to_owned();
    for (english, chinese) in TABLE {
        if said.contains(english) {
            said = said.replace(english, chinese);
        }
    }
    (said != text).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only what is wrong with it is read")]
    #[serde(deny_unknown_fields)]
    struct Row {
        count: u32,
    }

    fn of_json(text: &str) -> String {
        let said = serde_json::from_str::<Row>(text).unwrap_err().to_string();
        in_chinese(&said).unwrap_or(said)
    }

    #[test]
    fn what_is_wrong_with_json_reads_in_chinese_with_its_values() {
        let table = [
            ("{", "数据在对象中间结束，第 1 行第 1"),
            ("nonsense", "此处应为 true、false 或 null，第 1 行第 2"),
            ("{}", "缺少字段 `count`，第 1 行第 2"),
            (r#"{"count":"x"}"#, "类型不对：字符串 \"x\"，应为 u32，第 1 行第 12"),
            (r#"{"other":1}"#, "未知的字段 `other`，应为 `count`，第 1 行第 8"),
            (r#"{"count":1} x"#, "末尾有多余内容，第 1 行第 13"),
        ];
        for (text, wanted) in table {
            assert_eq!(of_json(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_nobody_knows_stays_as_it_is() {
        assert_eq!(in_chinese("a wholly new complaint"), None);
    }
}

//! What caused an error, in each language: what the system said, and errors that say themselves.

use std::error::Error;
use std::io::{self, ErrorKind};

use super::library::in_chinese;
use super::say::Say;

/// An error that says itself in each language, with its values.
pub trait Told: Error + 'static {
    /// It in Chinese; none where its code says all.
    fn chinese(&self) -> Option<String>;

    /// It in each language.
    fn sentence(&self) -> Say {
        let english = self.to_string();
        Say { chinese: self.chinese().unwrap_or_else(|| english.clone()), english }
    }
}

/// A cause as a person reads it. What a library says stays as it is where nobody knows it in
/// Chinese.
pub fn cause(error: &(dyn Error + 'static)) -> Say {
    let english = error.to_string();
    match (error.downcast_ref::<io::Error>(), error.downcast_ref::<Say>()) {
        (Some(system), _) => Say { english, chinese: system_in_chinese(system) },
        (None, Some(said)) => said.clone(),
        (None, None) => library(english),
    }
}

/// What a library said, as a person reads it.
pub fn library(english: String) -> Say {
    Say { chinese: in_chinese(&english).unwrap_or_else(|| english.clone()), english }
}

/// A cause and those behind it, in one sentence.
pub fn chain(error: &(dyn Error + 'static)) -> Say {
    let mut whole = cause(error);
    let mut next = error.source();
    while let Some(inner) = next {
        whole = whole.then(&cause(inner));
        next = inner.source();
    }
    whole
}

/// What the system said, in Chinese, with its number where it has one.
pub fn system_in_chinese(error: &io::Error) -> String {
    let Some(number) = error.raw_os_error() else {
        // One that this program or a library made: its text says more than its kind.
        let said = error.get_ref().and_then(|own| own.downcast_ref::<Say>());
        if let Some(said) = said {
            return said.chinese.clone();
        }
        return match (error.get_ref(), kind_in_chinese(error.kind())) {
            (None, Some(kind)) => kind.to_owned(),
            (Some(own), Some(kind)) => format!("{kind}：{}", own_words(own.to_string())),
            (_, None) => own_words(error.to_string()),
        };
    };
    match kind_in_chinese(error.kind()).or_else(|| number_in_chinese(number)) {
        Some(said) => format!("{said} (os error {number})"),
        None => error.to_string(),
    }
}

fn own_words(text: String) -> String {
    in_chinese(&text).unwrap_or(text)
}

fn kind_in_chinese(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::NotFound => "没有该文件或目录",
        ErrorKind::PermissionDenied => "没有权限",
        ErrorKind::ConnectionRefused => "对方拒绝连接",
        ErrorKind::ConnectionReset => "连接被对方重置",
        ErrorKind::ConnectionAborted => "连接被中断",
        ErrorKind::HostUnreachable => "主机不可达",
        ErrorKind::NetworkUnreachable => "网络不可达",
        ErrorKind::NetworkDown => "网络已断开",
        ErrorKind::NotConnected => "没有连接",
        ErrorKind::AddrInUse => "地址已被占用",
        ErrorKind::AddrNotAvailable => "本机没有该地址",
        ErrorKind::BrokenPipe => "连接或管道已断开",
        ErrorKind::AlreadyExists => "已经存在",
        ErrorKind::WouldBlock => "暂时没有数据或空间",
        ErrorKind::NotADirectory => "不是目录",
        ErrorKind::IsADirectory => "是一个目录",
        ErrorKind::DirectoryNotEmpty => "目录不是空的",
        ErrorKind::ReadOnlyFilesystem => "文件系统只读",
        ErrorKind::InvalidInput => "参数无效",
        ErrorKind::InvalidData => "数据无效",
        ErrorKind::TimedOut => "超时",
        ErrorKind::WriteZero => "没有写入",
        ErrorKind::StorageFull => "磁盘已满",
        ErrorKind::QuotaExceeded => "超出磁盘配额",
        ErrorKind::FileTooLarge => "文件过大",
        ErrorKind::ResourceBusy => "设备或资源正忙",
        ErrorKind::ExecutableFileBusy => "程序文件正被使用",
        ErrorKind::Interrupted => "被打断",
        ErrorKind::Unsupported => "不支持",
        ErrorKind::UnexpectedEof => "数据提前结束",
        ErrorKind::OutOfMemory => "内存不足",
        _ => return None,
    })
}

/// What the kinds of the standard library leave out and a line meets.
fn number_in_chinese(number: i32) -> Option<&'static str> {
    Some(match number {
        5 => "输入或输出错误",
        6 => "没有该设备或地址",
        19 => "没有该设备",
        23 | 24 => "打开的文件过多",
        25 => "设备不支持该操作",
        40 => "符号链接层数过多",
        71 => "协议错误",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_reads_in_each_language() {
        let said = cause(&io::Error::from_raw_os_error(2));
        assert_eq!(said.english, "No such file or directory (os error 2)");
        assert_eq!(said.chinese, "没有该文件或目录 (os error 2)");
        let said = cause(&io::Error::from_raw_os_error(5));
        assert_eq!(said.chinese, "输入或输出错误 (os error 5)");
    }

    #[test]
    fn an_error_of_one_s_own_keeps_its_text() {
        let own = io::Error::new(ErrorKind::TimedOut, "within 3 s");
        assert_eq!(system_in_chinese(&own), "超时：within 3 s");
        assert_eq!(system_in_chinese(&io::Error::other("odd")), "odd");
    }
}

//! The letter with a reset code.

use cofferdam_core::Personal;

/// The subject of the letter.
pub const SUBJECT: &str = "Your code to set a new password";

/// The state of the password that the code replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// The password opens the account until another is set.
    Valid,
    /// The password is void. Sign-in does not say so, because only the mailbox is the customer's.
    Void,
}

/// The text of the letter. It has no link: a customer who is used to typing the shop's address is
/// not deceived by a letter with a link.
#[must_use]
pub fn text(code: &Personal, minutes: i64, replaced: Replaced) -> Personal {
    let without_it = match replaced {
        Replaced::Valid => {
            "If you did not ask for a new password, you need not do anything: without\n\
             the code your password stays as it is.\n"
        }
        Replaced::Void => {
            "We made your old password void, to protect your account. It opens nothing\n\
             any more, so that sign-in refuses it. If you use it anywhere else, change\n\
             it there too.\n"
        }
    };
    Personal::new(format!(
        "Somebody, most likely you, asked to set a new password for your account.\n\
         \n\
         Your code is\n\
         \n\
         \x20   {}\n\
         \n\
         Open our shop as you always do, by typing its address into your browser\n\
         yourself, and enter the code where it asks for one. The code works once,\n\
         within {minutes} minutes.\n\
         \n\
         We never ask for this code, by mail, by telephone or in any other way. Do\n\
         not pass it on to anybody.\n\
         \n\
         {without_it}",
        code.expose()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_code_and_no_link_and_says_whether_the_password_is_void() {
        for (replaced, says) in [
            (Replaced::Valid, "your password stays as it is"),
            (Replaced::Void, "your old password void"),
        ] {
            let letter = text(&Personal::new("7WXQ2-00000"), 30, replaced);
            let letter = letter.expose();
            assert!(letter.contains("\n    7WXQ2-00000\n") && letter.contains(says), "{letter}");
            assert!(letter.contains("within 30 minutes"));
            assert!(!letter.contains("://") && !letter.contains("www."));
            assert!(letter.lines().all(|line| line.len() <= 78));
            assert_eq!(letter.lines().filter(|line| line.starts_with("    ")).count(), 1);
        }
    }
}

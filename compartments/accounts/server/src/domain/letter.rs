//! The letter with a reset code.

use cofferdam_core::Personal;

/// The subject of the letter.
pub const SUBJECT: &str = "Your code to set a new password";

/// The text of the letter. It has no link: a customer who is used to typing the shop's address is
/// not deceived by a letter with a link.
#[must_use]
pub fn text(code: &Personal, minutes: i64) -> Personal {
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
         If you did not ask for a new password, you need not do anything: without\n\
         the code your password stays as it is.\n",
        code.expose()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_code_and_no_link() {
        let letter = text(&Personal::new("7WXQ2-00000"), 30);
        assert!(letter.expose().contains("\n    7WXQ2-00000\n"));
        assert!(letter.expose().contains("within 30 minutes"));
        assert!(!letter.expose().contains("://") && !letter.expose().contains("www."));
        assert!(letter.expose().lines().all(|line| line.len() <= 78));
    }
}

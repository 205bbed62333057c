//! The number of files that the process may open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::ServeError;

/// The least limit of open files: every room of a server full, its databases, logs and own calls,
/// and some to spare.
const NEED: u64 = 4096;

/// Raises the limit of open files to what the process may have. A process with too few would be
/// closed to everybody once strangers have used them up.
pub fn raise_limit() -> Result<(), ServeError> {
    let failed = |e: nix::Error| ServeError::RaiseFiles(e.into());
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    if hard < NEED {
        return Err(ServeError::Files { have: hard, need: NEED });
    }
    if soft < NEED {
        setrlimit(Resource::RLIMIT_NOFILE, NEED, hard).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{KEPT, KNOCKING, ORDINARY, public};
    use super::*;

    /// The connections of a mail server, as `cofferdam-mail` bounds them.
    const MAIL: usize = 256;
    /// Databases, logs, and calls to other compartments.
    const OTHERS: usize = 1_000;

    #[test]
    fn a_full_house_is_within_the_limit() {
        let rooms = [KNOCKING, ORDINARY, KEPT, public::STRANGERS, public::PROXIES];
        let connections: usize = rooms.iter().map(|room| room.guests).sum();
        assert!((connections + MAIL + OTHERS) as u64 <= NEED);
    }
}

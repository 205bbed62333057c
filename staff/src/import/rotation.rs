//! The names of rotated log files: whether one file follows another.

/// Whether `next` is the file after `before`, by their names: their numbers or days follow each
/// other, as `access.log.2.gz`, `access.log.1`, `access.log`, or as `access.log-20120114` and
/// `access.log-20120115`.
pub fn follows(before: &str, next: &str) -> bool {
    let (before, next) = (unpacked(before), unpacked(next));
    if before == next {
        return false;
    }
    counts_down(before, next) || next_day(before, next) || counts_up(before, next)
}

fn unpacked(name: &str) -> &str {
    let packed = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst"));
    packed.unwrap_or(name)
}

/// logrotate: the file without a number is the newest.
fn counts_down(before: &str, next: &str) -> bool {
    let age = |name: &str| {
        let split = name.rsplit_once('.');
        split.and_then(|(stem, age)| Some((stem.to_owned(), small(age)?)))
    };
    match (age(before), age(next)) {
        (Some((stem, 1)), None) => stem == next,
        (Some((stem, before)), Some((same, next))) => stem == same && before == next + 1,
        _ => false,
    }
}

fn next_day(before: &str, next: &str) -> bool {
    let (Some(before), Some(next)) = (day(before), day(next)) else { return false };
    before.0 == next.0 && before.1.tomorrow().is_ok_and(|day| day == next.1)
}

/// The day in a name, and the name without it.
fn day(name: &str) -> Option<(String, jiff::civil::Date)> {
    for format in [&b"dddd-dd-dd"[..], b"dddddddd"] {
        let fits = |at: &usize| {
            let part = name.as_bytes().get(*at..at + format.len());
            part.is_some_and(|part| {
                part.iter().zip(format).all(|(b, wanted)| match wanted {
                    b'd' => b.is_ascii_digit(),
                    wanted => b == wanted,
                })
            })
        };
        let Some(at) = (0..name.len()).find(fits) else { continue };
        let text = &name[at..at + format.len()];
        let behind = &name[at + format.len()..];
        if has_clock_time(behind) {
            return None;
        }
        let rest = format!("{}|{behind}", &name[..at]);
        return text.parse().ok().map(|date| (rest, date));
    }
    None
}

/// Whether a number stands behind the day, such as an hour. The next file is then not the one of the
/// next day.
fn has_clock_time(behind: &str) -> bool {
    behind.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
        let digits = part.trim_start_matches('T').trim_end_matches('Z');
        small(digits).is_some()
    })
}

/// The last number of the names counts up by one, and nothing else differs.
fn counts_up(before: &str, next: &str) -> bool {
    let number = |name: &str| {
        let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
        let start = name[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
        let number = small(&name[start..end])?;
        Some((format!("{}|{}", &name[..start], &name[end..]), number))
    };
    // A number behind the last dot is an age, which counts down.
    let is_age = |name: &str| name.rsplit_once('.').is_some_and(|(_, age)| small(age).is_some());
    match (number(before), number(next)) {
        (Some(before), Some(next)) if !is_age(unpacked(&before.0)) => {
            before.0 == next.0 && !before.0.ends_with(".|") && before.1 + 1 == next.1
        }
        _ => false,
    }
}

fn small(digits: &str) -> Option<u32> {
    digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_rotation_follow_each_other() {
        for (before, next) in [
            ("access.log.1", "access.log"),
            ("access.log.2.gz", "access.log.1"),
            ("access.log.10.gz", "access.log.9.zst"),
            ("access.log-20120114.gz", "access.log-20120115"),
            ("postgresql-2012-01-31.csv", "postgresql-2012-02-01.csv"),
            ("postgresql-01.csv", "postgresql-02.csv"),
            ("u_ex9.log", "u_ex10.log"),
            ("access-2012-01-14-04.log", "access-2012-01-14-05.log"),
            ("access.2012-01-14.web1.txt", "access.2012-01-15.web1.txt"),
        ] {
            assert!(follows(before, next), "{before} {next}");
            assert!(!follows(next, before), "{next} {before}");
        }
        for (before, next) in [
            ("access.log.3", "access.log.1"),
            ("access.log.1", "error.log"),
            ("access.log.1", "access.log.1.gz"),
            ("access.log.1", "access.log.2"),
            ("access.log-20120114", "access.log-20120116"),
            ("access.log-20120114", "error.log-20120115"),
            ("postgresql-01.csv", "postgresql-03.csv"),
            ("a.log", "b.log"),
            ("access-2012-01-14-04.log", "access-2012-01-15-04.log"),
            ("access.log-2012011404.gz", "access.log-2012011504.gz"),
            ("access.20120114T0400Z.log", "access.20120115T0400Z.log"),
            ("postgresql-2012-01-14_000000.log", "postgresql-2012-01-15_000000.log"),
            ("access-2012-01-14.1.log", "access-2012-01-15.1.log"),
        ] {
            assert!(!follows(before, next), "{before} {next}");
        }
    }
}

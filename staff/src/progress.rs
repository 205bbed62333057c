//! The progress of a long step.

/// Sees the progress of a long step: the amount done, and the whole amount, which is 0 if it is not
/// known.
pub type Progress<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

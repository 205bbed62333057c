//! How far a long step is.

/// Sees how far a long step is: how much is done, and how much there is in all. The latter is 0 when
/// it is not known.
pub type Progress<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

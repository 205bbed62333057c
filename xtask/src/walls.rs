//! The walls between the crates, checked against the dependencies that cargo resolves. A crate's
//! place in the tree decides which walls stand around it.

mod graph;
mod rooms;
mod sources;

use std::fs;
use std::path::Path;

use graph::Graph;

const GOLDEN: &str = "xtask/walls.txt";

/// Checks the dependencies and the sources of every crate against the walls, and that the golden
/// file shows the dependencies. With `bless`, writes the golden file anew.
pub fn check(root: &Path, bless: bool) -> Result<(), Vec<String>> {
    let graph = Graph::read(root).map_err(|e| vec![e])?;
    let mut faults = graph.faults();
    faults.extend(sources::faults(root, &graph));
    let (path, now) = (root.join(GOLDEN), graph.render());
    if bless {
        fs::write(&path, &now).map_err(|e| vec![format!("{}: {e}", path.display())])?;
    } else if fs::read_to_string(&path).unwrap_or_default() != now {
        faults.push(format!(
            "{GOLDEN} does not show the dependencies as they are; look at the difference and run: \
             cargo xtask walls --bless"
        ));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

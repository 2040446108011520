//! Where a look keeps what it makes.

use std::fs;
use std::path::{Path, PathBuf};

use super::look::SCRATCH;
use crate::bench::measure::failed;
use crate::stop::Stop;

/// State and bundles, on the tmpfs that the look has (as /run is one), and gone with it.
pub struct Scratch {
    pub path: PathBuf,
}

impl Scratch {
    pub fn make(shop: &Path) -> Result<Scratch, Stop> {
        let path = shop.join(SCRATCH).join("bundles");
        fs::create_dir_all(&path).map_err(|error| failed("make", &path, &error))?;
        Ok(Scratch { path })
    }
}

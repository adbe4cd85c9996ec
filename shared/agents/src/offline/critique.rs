//! The idea hater's criticism.

use super::report;
use crate::{Brief, Report};

pub(super) fn write(brief: &Brief) -> Report {
    report::write(brief)
}

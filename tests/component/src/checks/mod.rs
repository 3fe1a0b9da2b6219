//! The checks, a file a subject.

pub mod binary;
pub mod callbacks;
pub mod execute;
pub mod instances;
pub mod state;
pub mod traces;
pub mod waiting;

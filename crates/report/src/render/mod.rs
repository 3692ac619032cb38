//! Renderers: each turns rows into text in one layout.

mod annotate;
mod arrangement;
mod call_graph;
pub mod diff;
mod differential;
mod form;
pub mod gmon;
mod missing;
mod opannotate;
mod quoting;
pub mod stat;
mod summary;
mod symbols;
mod table;
mod tree;
mod xml;

pub use annotate::{AnnotateLook, FunctionText, SourceText, annotate};
pub use call_graph::opreport_call_graph;
pub use differential::opreport_differential;
pub use form::{Shape, csv, json, markdown};
pub use missing::missing;
pub use opannotate::{
    opannotate_code, opannotate_file_header, opannotate_header, opannotate_image, opannotate_source,
};
pub use summary::opreport_summary;
pub use symbols::opreport_symbols;
pub use table::{Look, table};
pub use tree::tree;
pub use xml::{XmlSetting, opreport_xml};

//! The terminal, if there is one.

use std::io::IsTerminal;

/// What a stream that goes to a terminal may show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// Its width in columns, where known.
    pub(crate) width: Option<u16>,
    /// Its height in lines, where known.
    pub(crate) height: Option<u16>,
    /// Colours are welcome (no-color.org: NO_COLOR, set and not empty, turns them off).
    pub(crate) colour: bool,
}

/// The terminal behind a stream; `None` where it leads elsewhere.
pub(crate) fn terminal(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Option<Terminal> {
    if !stream.is_terminal() {
        return None;
    }
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let plain = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let size = rustix::termios::tcgetwinsize(stream).ok();
    let width = size.map(|size| size.ws_col).filter(|width| *width > 0);
    let height = size.map(|size| size.ws_row).filter(|height| *height > 0 && !plain);
    Some(Terminal { width, height, colour: !refused && !plain })
}

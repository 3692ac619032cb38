//! The client of HTTP, with the certificates that the system trusts.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::settings::DebuginfodSettings;

/// The redirections that are followed.
const MOST_REDIRECTS: u32 = 8;

/// The client for these servers.
pub(super) fn agent(settings: &DebuginfodSettings) -> Agent {
    let mut config = Agent::config_builder()
        .user_agent(concat!("oprof/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(MOST_REDIRECTS)
        .timeout_connect(settings.timeout)
        .timeout_recv_response(settings.timeout)
        .timeout_global(settings.longest.map(|longest| longest + Duration::from_secs(1)));
    // A redirection can lead from http to https, and reading the certificates takes milliseconds.
    let certificates = rustls_native_certs::load_native_certs().certs;
    let certificates = certificates.iter().map(|bytes| Certificate::from_der(bytes).to_owned());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(certificates.collect())))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    config = config.tls_config(tls);
    config.build().into()
}

//! The address of a client, behind proxies too.
//!
//! Anybody can send `X-Forwarded-For` and `Forwarded` (RFC 7239). So an address in them counts only if
//! a trusted proxy has put it there: starting from the connection's own address, each trusted proxy
//! tells from whom it got the request, and the first that is not trusted is the client.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{HttpRequest, web};
use ipnet::IpNet;

/// The proxies whose word on addresses counts. Part of the server's data.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    pub fn new(networks: Vec<IpNet>) -> TrustedProxies {
        TrustedProxies(networks)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Finds the client of a request that came from `peer`.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        let walk = |mut hops: Vec<Option<IpAddr>>| {
            let mut client = peer;
            while self.trusts(client) {
                // A trusted proxy that names nobody is all that is known.
                let Some(Some(hop)) = hops.pop() else { break };
                client = hop.to_canonical();
            }
            client
        };
        let said = [
            hops(headers, &header::X_FORWARDED_FOR, address),
            hops(headers, &header::FORWARDED, forwarded_for),
        ];
        match said.map(|hops| hops.map(walk)) {
            [None, None] => peer,
            [Some(client), None] | [None, Some(client)] => client,
            [Some(one), Some(other)] if one == other => one,
            // A proxy writes one of them, and lets through what the client sent as the other.
            [Some(_), Some(_)] => peer,
        }
    }
}

/// Lists the addresses of a header's elements, in the order in which proxies have added them; `None`
/// if the header is absent.
fn hops(
    headers: &HeaderMap,
    name: &HeaderName,
    read: fn(&str) -> Option<IpAddr>,
) -> Option<Vec<Option<IpAddr>>> {
    let lines = headers.get_all(name).map(|line| line.to_str().ok());
    let hops: Vec<Option<IpAddr>> = lines
        .flat_map(|line| match line {
            Some(line) => line.split(',').map(read).collect(),
            None => vec![None],
        })
        .collect();
    (!hops.is_empty()).then_some(hops)
}

/// Reads an address, which may have a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().ok();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let plain = text.parse().ok();
    plain
        .or_else(|| with_port().map(|address| address.ip()))
        .or_else(bracketed)
}

/// Reads the `for` of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(value.trim().trim_matches('"'))
}

/// Finds the address of a request's client.
pub(super) fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let proxies = request.app_data::<web::Data<TrustedProxies>>();
    Some(match proxies {
        Some(proxies) => proxies.client(peer, request.headers()),
        None => peer.to_canonical(),
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn client(peer: &str, headers: &[(HeaderName, &'static str)]) -> String {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_static(value));
        }
        let proxies = TrustedProxies::new(networks.to_vec());
        proxies.client(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_have_added_counts() {
        let chain = |text| [(header::X_FORWARDED_FOR, text)];
        assert_eq!(client("192.0.2.1", &chain("198.51.100.1")), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &chain("198.51.100.1")), "198.51.100.1");
        let forged = chain("203.0.113.9, 198.51.100.1, 10.0.0.2");
        assert_eq!(client("10.0.0.1", &forged), "198.51.100.1");
        assert_eq!(client("::ffff:10.0.0.1", &forged), "198.51.100.1");
        assert_eq!(
            client("fd00::1", &chain("[2001:db8::1]:443")),
            "2001:db8::1"
        );
        assert_eq!(
            client("10.0.0.1", &chain("198.51.100.1, unknown")),
            "10.0.0.1"
        );
        assert_eq!(client("10.0.0.1", &chain("")), "10.0.0.1");
        let lines = [
            (header::X_FORWARDED_FOR, "203.0.113.9"),
            (header::X_FORWARDED_FOR, "198.51.100.1:5060"),
        ];
        assert_eq!(client("10.0.0.1", &lines), "198.51.100.1");
    }

    #[test]
    fn forwarded_counts_unless_the_other_header_says_otherwise() {
        let forwarded = r#"for=203.0.113.9, For="[2001:db8::1]:443";proto=https"#;
        let one = [(header::FORWARDED, forwarded)];
        assert_eq!(client("10.0.0.1", &one), "2001:db8::1");
        let other = (header::X_FORWARDED_FOR, "198.51.100.1");
        let both = [(header::FORWARDED, "for=203.0.113.9"), other.clone()];
        assert_eq!(client("10.0.0.1", &both), "10.0.0.1");
        let same = [(header::FORWARDED, "for=198.51.100.1"), other];
        assert_eq!(client("10.0.0.1", &same), "198.51.100.1");
        let hidden = [(header::FORWARDED, "for=_hidden")];
        assert_eq!(client("10.0.0.1", &hidden), "10.0.0.1");
    }
}

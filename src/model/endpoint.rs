//! How the API is reached.

/// Kind of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum EndpointType {
    Regional,
    Edge,
    Private,
}

named!(EndpointType: Regional = "REGIONAL", Edge = "EDGE", Private = "PRIVATE");

/// Which addresses an endpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum IpAddressType {
    Ipv4,
    Dualstack,
}

named!(IpAddressType: Ipv4 = "ipv4", Dualstack = "dualstack");

/// How strictly the endpoint checks how it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum EndpointAccessMode {
    Basic,
    Strict,
}

named!(EndpointAccessMode: Basic = "BASIC", Strict = "STRICT");

/// `endpointConfiguration`. Empty: whatever whoever creates the API makes the default (AWS: EDGE).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointConfiguration {
    /// One at most, as AWS has it.
    pub types: Vec<EndpointType>,
    /// `None`: the type's own, dualstack for PRIVATE and ipv4 for the others.
    pub ip_address_type: Option<IpAddressType>,
    /// Interface endpoints of a PRIVATE API.
    pub vpc_endpoint_ids: Vec<String>,
}

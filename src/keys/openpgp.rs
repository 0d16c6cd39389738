//! placeholder
use openpgp::packet::Packet;
use openpgp::parse::{PacketParser, PacketParserResult, Parse};
use sequoia_openpgp as openpgp;
pub(super) fn addressees(message: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut parsed = PacketParser::from_bytes(message.as_bytes());
    for _ in 0..64 {
        let Ok(PacketParserResult::Some(parser)) = parsed else { break };
        match &parser.packet {
            Packet::PKESK(wrapped) => found.extend(wrapped.recipient().map(|key| key.to_hex())),
            _ => break,
        }
        parsed = parser.next().map(|(_, next)| next);
    }
    found
}

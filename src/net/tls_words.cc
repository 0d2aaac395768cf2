#include "tls_words.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace smpc {
namespace {

// RFC 8446, section 6. Alerts that judge a certificate say what the other side did not like about this side's.
TlsReason alert_in_words(int alert) {
  const std::string says = "that the other side ";
  switch (alert) {
    case SSL_AD_CERTIFICATE_EXPIRED:
      return {says +
                  "refused this side's certificate as expired (alert certificate_expired): renew it with smpc-certs "
                  "issue, and check the clocks",
              true};
    case SSL_AD_UNKNOWN_CA:
      return {says +
                  "does not know the CA of this side's certificate (alert unknown_ca): both sides need certificates "
                  "of one CA",
              true};
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
      return {says +
                  "did not accept this side's certificate (alert bad_certificate): is it of the right role, valid by "
                  "now, and of the same CA?",
              true};
    case SSL_AD_CERTIFICATE_REVOKED:
      return {says + "refused this side's certificate as revoked (alert certificate_revoked)", true};
    case SSL_AD_CERTIFICATE_REQUIRED:
      return {says + "expected a certificate from this side (alert certificate_required)", true};
    case SSL_AD_ACCESS_DENIED: return {says + "denied access (alert access_denied)", true};
    case SSL_AD_PROTOCOL_VERSION: return {says + "does not speak TLS 1.3 (alert protocol_version)", false};
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_INSUFFICIENT_SECURITY:
      return {says + "could not agree on how to connect (alert handshake_failure)", false};
    case SSL_AD_BAD_RECORD_MAC:
    case SSL_AD_DECRYPT_ERROR:
      return {says + "received bytes that were altered on the way (alert bad_record_mac)", false};
    case SSL_AD_INTERNAL_ERROR: return {says + "has a fault of its own (alert internal_error)", false};
    default:
      return {
          says + "broke off with TLS alert " + std::to_string(alert) + " (" + SSL_alert_desc_string_long(alert) + ")",
          false};
  }
}

}  // namespace

TlsReason tls_reason(unsigned long packed) {
  const int reason = ERR_GET_REASON(packed);
  if (ERR_GET_LIB(packed) == ERR_LIB_SSL) {
    if (reason >= SSL_AD_REASON_OFFSET) return alert_in_words(reason - SSL_AD_REASON_OFFSET);
    switch (reason) {
      case SSL_R_HTTP_REQUEST:
      case SSL_R_HTTPS_PROXY_REQUEST: return {"a plain HTTP request: this port speaks smpc over TLS", false};
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_PACKET_LENGTH_TOO_LONG:
      case SSL_R_BAD_RECORD_TYPE:
      case SSL_R_UNKNOWN_PROTOCOL:
      case SSL_R_RECORD_TOO_SMALL: return {"bytes that are not TLS (plain text?)", false};
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_WRONG_SSL_VERSION:
      case SSL_R_VERSION_TOO_LOW:
        return {"an older version of TLS, answered with protocol_version: update the other side", false};
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return {"a peer without a certificate: both sides need one", false};
      case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
      case SSL_R_BAD_SIGNATURE:
      case SSL_R_DIGEST_CHECK_FAILED: return {"bytes that were altered on the way (bad record MAC)", false};
      case SSL_R_NO_SHARED_CIPHER: return {"no common cipher", false};
      default: break;
    }
  }
  const char* words = ERR_reason_error_string(packed);
  return {std::string("a TLS fault: ") + (words != nullptr ? words : "unknown"), false};
}

}  // namespace smpc

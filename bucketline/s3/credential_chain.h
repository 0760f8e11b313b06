// The chain of places where credentials may be, in botocore's order, which is what users expect.
#pragma once

#include <memory>
#include <string>

#include "bucketline/s3/credential_source.h"
#include "bucketline/s3/s3_store.h"
#include "bucketline/s3/shared_profile.h"

namespace bucketline {

// Explicit ones in the options, the environment (not when options.profile names a profile), the profile's role, web
// identity, single sign-on, the credentials file, credential_process, the config file, the container's endpoint, the
// instance's metadata. nullptr for anonymous. The first place that is configured counts, whether or not it then works:
// another one would be another identity. Reads files, never the network; `region` is that of STS.
// Throws kInvalidArgument (half of a key pair, a profile that contradicts itself), kUnsupported (a source that is not
// built in; it is named), kUnauthenticated (nothing anywhere: the places are listed), kIo.
std::shared_ptr<CredentialsProvider> FindCredentials(const S3Options& options, const SharedProfile& profile,
                                                     const std::string& region,
                                                     const CredentialContext& context);

}  // namespace bucketline

/** How the real host writes errors: its own exceptions as JSON, with the app's error inside. Nobody should read
 *  anything out of it, but apps must cope with it. */

const FRAMEWORK = 'System.Private.CoreLib';
const BASE_EXCEPTION_HRESULT = -2146233088;

/** `Details` of a child that failed: the real host's own exception, whose text is the reason without its first words. */
export const childDetails = (reason: string): string =>
  `Message: ${reason.replace(/^Orchestrator function '[^']*' failed: /, '')}, StackTrace: `;

/** `Details` of an activity that failed. */
export const exceptionJson = (message: string, stack: string): string =>
  JSON.stringify({
    $type: `System.Exception, ${FRAMEWORK}`,
    ClassName: 'System.Exception',
    Message: message,
    Data: null,
    InnerException: {
      $type: 'Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException, Microsoft.Azure.WebJobs.Script.Grpc',
      RemoteMessage: message,
      Message: `Result: Failure\nException: ${message}\nStack: ${stack}`,
      Data: { $type: `System.Collections.ListDictionaryInternal, ${FRAMEWORK}` },
      InnerException: null,
      HelpLink: null,
      Source: 'Microsoft.Azure.WebJobs.Script.Grpc',
      HResult: BASE_EXCEPTION_HRESULT,
      StackTrace: null,
    },
    HelpURL: null,
    StackTraceString: null,
    RemoteStackTraceString: null,
    RemoteStackIndex: 0,
    ExceptionMethod: null,
    HResult: BASE_EXCEPTION_HRESULT,
    Source: null,
    WatsonBuckets: null,
  });

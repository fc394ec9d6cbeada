// The extension knows an error of an app in another process by this name and this property, and by nothing else.
namespace Microsoft.Azure.WebJobs.Script.Workers.Rpc;

public sealed class RpcException(string message, string stack)
    : Exception($"Result: Failure\nException: {message}\nStack: {stack}")
{
    public string RemoteMessage { get; } = message;
}

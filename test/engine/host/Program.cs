// Runs a functions app on the public Durable Task and Storage Queues packages: the app lives in a Node process of its
// own (test/engine/worker.ts), which is started again whenever it dies. Nothing of the app is known here.
//
//   engine-host --host-json FILE --port N -- COMMAND [ARGUMENT…]
//
// Standard output: one JSON object a line, {"worker":pid} for each Node process and {"ready":true,"port":N} once.
// Standard error: log. Ends when its standard input does.
using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Extensions.DurableTask;
using Microsoft.Azure.WebJobs.Host.Config;
using Newtonsoft.Json.Linq;

Console.SetOut(Console.Error); // The extension prints as well: standard output is ours alone.
ThreadPool.SetMinThreads(64, 64); // Orchestrators block a thread each: the framework's scheduler allows no other wait.
var command = args.SkipWhile(one => one != "--").Skip(1).ToArray();
string Flag(string name) => args.TakeWhile(one => one != "--").SkipWhile(one => one != name).Skip(1).First();
var prefix = "/runtime/webhooks/durabletask";
var key = Environment.GetEnvironmentVariable("ENGINE_KEY") ?? throw new ArgumentException("ENGINE_KEY is not set.");

var front = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
front.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
{
    kestrel.AllowSynchronousIO = true;
    kestrel.Listen(System.Net.IPAddress.Loopback, int.Parse(Flag("--port")));
});
var web = front.Build();
var webhooks = new Webhooks();
web.Run(async context =>
{
    var path = context.Request.Path.Value ?? "/";
    var target = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;
    if (path.StartsWith("/engine/", StringComparison.OrdinalIgnoreCase)) context.Response.StatusCode = 404;
    else if (webhooks.Durable is null || Forwarder.Worker is null) context.Response.StatusCode = 503;
    else if (!path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) await Front.Forward(context, Forwarder.Worker.Address + target);
    else if ((context.Request.Headers["x-functions-key"].FirstOrDefault() ?? context.Request.Query["code"]) != key) context.Response.StatusCode = 401;
    else await Front.Answer(context, target, webhooks.Durable);
});
await web.StartAsync();
var origin = web.Urls.First();
webhooks.Base = new Uri($"{origin}{prefix}?code={key}");

var workers = new Workers(command, origin);
var functions = await workers.Start();
var settings = Settings.Flatten(JObject.Parse(File.ReadAllText(Flag("--host-json"))));
var host = new HostBuilder()
    .ConfigureAppConfiguration(configuration => configuration.AddInMemoryCollection(settings).AddEnvironmentVariables())
    .ConfigureLogging(logging => logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning))
    .ConfigureWebJobs(jobs => { jobs.AddDurableTask(); jobs.AddAzureStorageQueues(); })
    .ConfigureServices(services =>
    {
        services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        services.AddSingleton<ITypeLocator>(new Emitted(Emitter.Emit(functions)));
        services.AddSingleton<INameResolver, DefaultNameResolver>();
        services.AddSingleton<IWebHookProvider>(webhooks);
    })
    .Build();
await host.StartAsync();
await ((JobHost)host.Services.GetRequiredService<IJobHost>()).CallAsync(Emitter.ClientFunction);
Front.Say(new { ready = true, port = new Uri(origin).Port });
await Console.OpenStandardInput().CopyToAsync(Stream.Null);
workers.Stop();
Environment.Exit(0);

/// <summary>The extension asks for its public address; so it is known.</summary>
sealed class Webhooks : IWebHookProvider
{
    public Uri? Base;
    public IAsyncConverter<HttpRequestMessage, HttpResponseMessage>? Durable;
    public Uri GetUrl(IExtensionConfigProvider extension)
    {
        Durable = (IAsyncConverter<HttpRequestMessage, HttpResponseMessage>)extension;
        return Base!;
    }
}

/// <summary>host.json as the extensions read it.</summary>
static class Settings
{
    public static IEnumerable<KeyValuePair<string, string?>> Flatten(JObject hostJson) =>
        from value in hostJson["extensions"]!.SelectTokens("$..*").OfType<JValue>()
        select KeyValuePair.Create($"AzureWebJobs:{value.Path.Replace('.', ':')}", (string?)value.ToString());
}

static class Front
{
    static readonly StreamWriter Out = new(Console.OpenStandardOutput()) { AutoFlush = true };
    static readonly HttpClient Client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    public static void Say(object line)
    {
        lock (Out) Out.WriteLine(Newtonsoft.Json.JsonConvert.SerializeObject(line));
    }

    static async Task<HttpRequestMessage> Request(HttpContext context, string address)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), address) { Content = new ByteArrayContent(body.ToArray()) };
        foreach (var header in context.Request.Headers)
            if (!request.Headers.TryAddWithoutValidation(header.Key, header.Value.ToArray()))
                request.Content.Headers.TryAddWithoutValidation(header.Key, header.Value.ToArray());
        return request;
    }

    static async Task Send(HttpContext context, HttpResponseMessage response)
    {
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var header in response.Headers.Concat(response.Content?.Headers ?? Enumerable.Empty<KeyValuePair<string, IEnumerable<string>>>()))
            if (!header.Key.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)) context.Response.Headers[header.Key] = header.Value.ToArray();
        if (response.Content is not null) await response.Content.CopyToAsync(context.Response.Body);
    }

    /// <summary>By the extension's own code, the code behind the management API.</summary>
    public static async Task Answer(HttpContext context, string target, IAsyncConverter<HttpRequestMessage, HttpResponseMessage> durable)
    {
        using var request = await Request(context, $"http://{context.Request.Host}{target}");
        using var response = await durable.ConvertAsync(request, context.RequestAborted);
        await Send(context, response);
    }

    public static async Task Forward(HttpContext context, string address)
    {
        using var request = await Request(context, address);
        using var response = await Client.SendAsync(request);
        await Send(context, response);
    }
}

/// <summary>The Node process. It is started again when it ends, as the Functions host does; what it was doing has failed then.</summary>
sealed class Workers(string[] command, string origin)
{
    bool stopping;
    public void Stop() { stopping = true; Forwarder.Worker?.Process.Kill(true); }

    public async Task<JArray> Start()
    {
        var start = new System.Diagnostics.ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment["WEBSITE_HOSTNAME"] = new Uri(origin).Authority;
        var process = System.Diagnostics.Process.Start(start)!;
        Front.Say(new { worker = process.Id });
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The worker ended before it was ready.");
        var ready = JObject.Parse(line);
        var worker = new Worker(process, $"http://127.0.0.1:{ready["port"]}");
        if (Forwarder.ClientPayload is string payload) await worker.Post("client", payload);
        Forwarder.Worker = worker;
        _ = process.WaitForExitAsync().ContinueWith(async _ =>
        {
            Forwarder.Worker = null;
            worker.Fail(new InvalidOperationException($"node exited with code {process.ExitCode} (0x{process.ExitCode:X})"));
            while (!stopping)
                try { await Start(); return; }
                catch (Exception error) { Console.Error.WriteLine(error.Message); await Task.Delay(1000); }
        });
        return (JArray)ready["functions"]!;
    }
}

sealed record Worker(System.Diagnostics.Process Process, string Address)
{
    readonly HttpClient client = new() { Timeout = TimeSpan.FromMinutes(30) };
    readonly TaskCompletionSource<string> died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    public void Fail(Exception error) => died.TrySetException(error);

    public async Task<string> Post(string path, string body)
    {
        var answer = Answer(path, body);
        try { return await await Task.WhenAny(answer, died.Task); }
        catch (HttpRequestException) { return await died.Task; } // The connection breaks a moment before the process is gone.
    }

    async Task<string> Answer(string path, string body)
    {
        using var response = await client.PostAsync($"{Address}/engine/{path}", new StringContent(body));
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }
}

/// <summary>What the emitted functions call.</summary>
public static class Forwarder
{
    internal static Worker? Worker;
    internal static string? ClientPayload;
    static readonly Newtonsoft.Json.JsonSerializerSettings Dates = new() { DateParseHandling = Newtonsoft.Json.DateParseHandling.None, MaxDepth = null };

    public static void Client(string payload)
    {
        ClientPayload = payload;
        Task.Run(() => Worker!.Post("client", payload)).GetAwaiter().GetResult();
    }

    /// <param name="metadata">Names and values in turns: what the trigger tells beside its value.</param>
    public static object? Call(string function, string? value, object?[] metadata) =>
        Task.Run(() => CallAsync(function, value, metadata)).GetAwaiter().GetResult();

    static async Task<object?> CallAsync(string function, string? value, object?[] metadata)
    {
        var worker = Worker ?? throw new InvalidOperationException("Did not find any initialized language workers");
        var more = new JObject(metadata.Chunk(2).Select(pair => new JProperty((string)pair[0]!, pair[1])));
        var text = await worker.Post($"invoke/{function}", new JObject { ["value"] = value, ["metadata"] = more }.ToString());
        var answer = Newtonsoft.Json.JsonConvert.DeserializeObject<JObject>(text, Dates)!;
        if (answer["error"] is JObject error)
            throw new Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException((string)error["message"]!, (string)error["stack"]!);
        if ((string?)answer["json"] is string json) return Newtonsoft.Json.JsonConvert.DeserializeObject(json, Dates);
        return (answer["string"] ?? answer["int"] ?? answer["double"])?.ToObject<object>();
    }
}

using System.Reflection;
using System.Reflection.Emit;
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Extensions.DurableTask;
using Newtonsoft.Json.Linq;

sealed class Emitted(Type type) : ITypeLocator
{
    public IReadOnlyList<Type> GetTypes() => [type];
}

/// <summary>The extensions find functions as public methods with attributes: one is made for each function of the app.</summary>
static class Emitter
{
    public static MethodInfo ClientFunction { get; private set; } = null!;
    static readonly MethodInfo Call = typeof(Forwarder).GetMethod(nameof(Forwarder.Call))!;

    /// <summary>What a queue message tells beside its text.</summary>
    static readonly (string Name, Type Type)[] QueueMetadata =
    [
        ("DequeueCount", typeof(long)), ("ExpirationTime", typeof(DateTimeOffset)), ("Id", typeof(string)),
        ("InsertionTime", typeof(DateTimeOffset)), ("NextVisibleTime", typeof(DateTimeOffset)), ("PopReceipt", typeof(string)),
        ("QueueTrigger", typeof(string)),
    ];

    public static Type Emit(JArray functions)
    {
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("App"), AssemblyBuilderAccess.Run);
        var type = assembly.DefineDynamicModule("App").DefineType("Functions", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        foreach (var function in functions)
        {
            var (name, kind) = ((string)function["name"]!, (string)function["kind"]!);
            if (kind == "orchestrationTrigger") Method(type, name, Attribute(typeof(OrchestrationTriggerAttribute)), []);
            if (kind == "activityTrigger") Method(type, name, Attribute(typeof(ActivityTriggerAttribute)), [("instanceId", typeof(string))]);
            if (kind == "queueTrigger")
            {
                var trigger = Attribute(typeof(QueueTriggerAttribute), [(string)function["queueName"]!], ("Connection", (string)function["connection"]!));
                Method(type, name, trigger, QueueMetadata);
            }
        }
        ClientOf(type);
        var made = type.CreateType();
        ClientFunction = made.GetMethod("Client")!;
        return made;
    }

    static void ClientOf(TypeBuilder type)
    {
        var method = type.DefineMethod("Client", MethodAttributes.Public | MethodAttributes.Static, typeof(void), [typeof(string)]);
        method.SetCustomAttribute(Attribute(typeof(NoAutomaticTriggerAttribute)));
        method.DefineParameter(1, ParameterAttributes.None, "client").SetCustomAttribute(Attribute(typeof(DurableClientAttribute)));
        var code = method.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Call, typeof(Forwarder).GetMethod(nameof(Forwarder.Client))!);
        code.Emit(OpCodes.Ret);
    }

    static void Method(TypeBuilder type, string name, CustomAttributeBuilder trigger, (string Name, Type Type)[] metadata)
    {
        var types = metadata.Select(one => one.Type).Prepend(typeof(string)).ToArray();
        var returns = metadata == QueueMetadata ? typeof(void) : typeof(object); // A queue trigger takes no answer.
        var method = type.DefineMethod($"F{name}", MethodAttributes.Public | MethodAttributes.Static, returns, types);
        method.SetCustomAttribute(Attribute(typeof(FunctionNameAttribute), [name]));
        method.DefineParameter(1, ParameterAttributes.None, "trigger").SetCustomAttribute(trigger);
        var code = method.GetILGenerator();
        code.Emit(OpCodes.Ldstr, name);
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldc_I4, metadata.Length * 2);
        code.Emit(OpCodes.Newarr, typeof(object));
        for (var index = 0; index < metadata.Length; index++)
        {
            method.DefineParameter(index + 2, ParameterAttributes.None, metadata[index].Name);
            code.Emit(OpCodes.Dup);
            code.Emit(OpCodes.Ldc_I4, index * 2);
            code.Emit(OpCodes.Ldstr, metadata[index].Name);
            code.Emit(OpCodes.Stelem_Ref);
            code.Emit(OpCodes.Dup);
            code.Emit(OpCodes.Ldc_I4, index * 2 + 1);
            code.Emit(OpCodes.Ldarg, (short)(index + 1));
            if (metadata[index].Type.IsValueType) code.Emit(OpCodes.Box, metadata[index].Type);
            code.Emit(OpCodes.Stelem_Ref);
        }
        code.Emit(OpCodes.Call, Call);
        if (returns == typeof(void)) code.Emit(OpCodes.Pop);
        code.Emit(OpCodes.Ret);
    }

    static CustomAttributeBuilder Attribute(Type type, object[]? arguments = null, params (string Name, object Value)[] properties) =>
        new(type.GetConstructor((arguments ?? []).Select(one => one.GetType()).ToArray())!, arguments ?? [],
            properties.Select(one => type.GetProperty(one.Name)!).ToArray(), properties.Select(one => one.Value).ToArray());
}
